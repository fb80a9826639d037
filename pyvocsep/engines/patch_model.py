"""Patch models in onnxruntime: checked, opened once for a batch, and opened anew after fork."""

from __future__ import annotations

import ctypes
import os
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from pyvocsep import _core
from pyvocsep.arrays import Samples
from pyvocsep.engines.patch_format import check_graph, read_patch_format

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]

_KEPT = 2  # sessions in memory that nothing uses at the moment

_Key = tuple[str, int, int, int]
_cache: OrderedDict[_Key, Any] = OrderedDict()
_alive: WeakSet[Any] = WeakSet()


class PatchModel:
    """A model file in onnxruntime.

    Args:
        path: of an .onnx file.
        threads: to compute with, but no more than this process may use processors.

    Raises:
        ImportError: onnxruntime is not installed.
        ValueError: not a model file, naming what is wrong in it.

    After fork, the child process has none of the threads of its parent's session: it opens one of its own.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        self._path = os.path.abspath(os.fspath(path))
        self._threads = min(threads, _core.usable_processors())
        self._open()
        try:
            self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        except UnicodeDecodeError as error:
            raise ValueError(f"{self._path}: its metadata are not UTF-8: {error}") from None
        self.form = read_patch_format(self.metadata, self._path)
        inputs, outputs = (
            {node.name: (node.type, node.shape) for node in nodes}
            for nodes in (self._session.get_inputs(), self._session.get_outputs())
        )
        check_graph(inputs, outputs, self.form, self._path)

    def masks(self, magnitudes: Samples) -> Samples:
        """Masks (patch, bins) of magnitudes (patch, bins), which are scaled by 2/frame.

        Raises ValueError, naming the file, if the graph fails or gives anything else.
        """
        if self._process != os.getpid():
            self._open()
        feed = {"magnitudes": np.ascontiguousarray(magnitudes[np.newaxis, :, :, np.newaxis])}
        try:
            masks = self._session.run(["masks"], feed)[0]
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ValueError(f"{self._path} does not run: {error}") from None
        if masks.shape != self.form.shape or not np.isfinite(masks).all():
            raise ValueError(
                f"{self._path}: the masks are of shape {masks.shape}, or not all finite; they must be finite "
                f"and of shape {self.form.shape}"
            )
        patch: Samples = masks[0, :, :, 0]
        return patch

    def _open(self) -> None:
        self._process = os.getpid()
        status = os.stat(self._path)
        key = (self._path, status.st_mtime_ns, status.st_size, self._threads)
        if key not in _cache:
            _cache[key] = _new_session(self._path, self._threads)
        _cache.move_to_end(key)
        self._session = _cache[key]
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)


def _new_session(path: str, threads: int) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError:
        raise ImportError(
            f"{Path(path).name} needs onnxruntime: pip install pyvocsep[onnx]", name="onnxruntime"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Bytes, not the path: with a path, the model could name other files as its weights.
    content = Path(path).read_bytes()
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise ValueError(f"{path} is not a model file: {error}") from None
    _alive.add(session)
    return session


def _abandon_sessions() -> None:
    """Keep the parent's sessions for ever: to end one without its threads crashes onnxruntime 1.32."""
    for session in list(_alive):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
    _alive.clear()
    _cache.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_sessions)
