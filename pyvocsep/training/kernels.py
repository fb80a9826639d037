"""The compiled kernels of ``csrc/training``: where they lie, and when they serve."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from pyvocsep._compiled import FOLDER

NAME = "_kernels"


@lru_cache(maxsize=1)
def find() -> ctypes.CDLL | None:
    """The library, or None where it was not built: training is then slower, and otherwise the same.

    The environment variable PYVOCSEP_TRAINING_KERNELS names a library elsewhere; empty, it turns it off.
    """
    chosen = os.environ.get("PYVOCSEP_TRAINING_KERNELS")
    if chosen == "":
        return None
    for path in [Path(chosen)] if chosen else sorted((FOLDER / "training").glob(f"{NAME}*.so")):
        found = ctypes.CDLL(str(path))
        found.pyvocsep_gru_multiple.restype = ctypes.c_int64
        for function in ("gru_forward", "gru_backward", "norm_forward", "norm_backward", "separation_loss"):
            getattr(found, f"pyvocsep_{function}").restype = None
        return found
    return None


def library() -> ctypes.CDLL:
    """The library, for those who asked :func:`serves` first."""
    found = find()
    assert found is not None
    return found


def serves(x: Tensor) -> bool:
    """Whether the kernels can take part in a training step on ``x``."""
    return (
        find() is not None and x.device.type == "cpu" and x.dtype == torch.float32 and torch.is_grad_enabled()
    )


def gru_multiple() -> int:
    """Hidden sizes and widths must be multiples of this."""
    return int(library().pyvocsep_gru_multiple())


def pointer(tensor: Tensor, offset: int = 0) -> ctypes.c_void_p:
    """The address of an element of a contiguous tensor."""
    return ctypes.c_void_p(tensor.data_ptr() + offset * tensor.element_size())
