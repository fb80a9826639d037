"""The models that come with the package, and how a name or a path becomes one."""

from __future__ import annotations

import errno
import os
from functools import lru_cache
from pathlib import Path

from pyvocsep import _core, patches

_FOLDER = Path(__file__).parent
_STREAMING_SUFFIX = ".safetensors"
_SUFFIXES = (_STREAMING_SUFFIX, patches.SUFFIX)

DEFAULT = "band-gru"
PRECISIONS = ("float32", "bfloat16", "int8")


def shipped_models() -> tuple[str, ...]:
    """Return the names that `model=` takes besides a path."""
    return tuple(sorted(path.stem for path in _FOLDER.iterdir() if path.suffix in _SUFFIXES))


def model_path(model: str | os.PathLike[str]) -> Path:
    """Return the file of a shipped model, or `model` itself where it is the path of a model file.

    Raises FileNotFoundError for a path at which there is no file, ValueError for a name that is not shipped.
    """
    path = Path(model)
    looks_like_a_path = not isinstance(model, str) or path.suffix in _SUFFIXES or len(path.parts) != 1
    if looks_like_a_path:
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such model file", str(path))
        return path
    if model not in shipped_models():
        names = ", ".join(shipped_models())
        raise ValueError(
            f"unknown model {model!r}: choose from {names}, "
            f"or give the path of a {_STREAMING_SUFFIX} or {patches.SUFFIX} file"
        )
    return next(path for suffix in _SUFFIXES if (path := _FOLDER / (model + suffix)).is_file())


def looks_ahead(model: str | os.PathLike[str]) -> bool:
    """Whether a model sees whole patches of a recording, and so cannot stream.

    Raises what `model_path` raises.
    """
    return model_path(model).suffix == patches.SUFFIX


def check_model(model: str | os.PathLike[str], precision: str = "float32") -> None:
    """Read a model, of either kind, as its first use would; raise what that would raise."""
    if looks_ahead(model):
        patches.PatchModel(patch_model_path(model, precision))
    else:
        load_model(model, precision)


def load_model(model: str | os.PathLike[str], precision: str = "float32") -> _core.Model:
    """Read a model that streams, or hand out the copy in memory while its file is unchanged: a batch loads it
    once.

    Raises what `model_path` raises, and ValueError for a model that cannot stream, for a file that is not a
    model, naming what is wrong in it, and for a precision that is unknown or not this machine's.
    """
    _check_precision(precision)
    path = model_path(model)
    if path.suffix == patches.SUFFIX:
        raise ValueError(patches.cannot_stream(path))
    status = path.stat()
    return _load(str(path.resolve()), status.st_mtime_ns, status.st_size, precision)


def patch_model_path(model: str | os.PathLike[str], precision: str = "float32") -> Path:
    """Return the file of a model that looks ahead; ValueError for a precision that it does not run in."""
    _check_precision(precision)
    path = model_path(model)
    if precision != "float32":
        raise ValueError(f"precision is {precision!r}; the model {path.stem!r} runs in float32 alone")
    return path


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; it must be one of {', '.join(PRECISIONS)}")


@lru_cache(maxsize=2)
def _load(path: str, modified_ns: int, size: int, precision: str) -> _core.Model:
    return _core.Model(path, getattr(_core.Precision, precision))
