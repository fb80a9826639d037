"""The models that come with the package, and how a name or a path becomes a file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

DEFAULT = "band-gru"
"""Of streams, the effect, the plugins and the live command: the model with the least latency."""
DEFAULT_FOR_FILES = "band-gru-files"
"""Of `pyvocsep.process`, the command, corpora and the page, which do not mind latency."""
CORE_SUFFIX = ".safetensors"
"""Of models for the C++ core."""
PATCH_SUFFIX = ".onnx"
"""Of models that onnxruntime runs, patch by patch."""

_FOLDER = Path(__file__).parent
_SUFFIXES = (CORE_SUFFIX, PATCH_SUFFIX)


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
            f"or give the path of a {' or '.join(_SUFFIXES)} file"
        )
    return next(path for suffix in _SUFFIXES if (path := _FOLDER / (model + suffix)).is_file())
