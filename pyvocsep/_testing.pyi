"""The core's parts one by one (csrc/python/testing.cpp), for tests and benchmarks.

Built with the CMake option PYVOCSEP_TEST_MODULE; wheels lack it.
"""

import numpy as np
from numpy.typing import NDArray

from pyvocsep._core import Model, Precision

def rfft(x: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Spectra (frames, size / 2 + 1) of x (frames, size).

    ValueError unless size is even, 7-smooth, MIN_FRAME to MAX_FRAME.
    """

def irfft(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """The inverse of `rfft`, of one spectrum (size / 2 + 1,)."""

def multiply_adds(rounds: int, precision: Precision = ...) -> float:
    """Multiply-adds on registers alone, the most that a core can do; returns how many there were."""

class GruLayer:
    """The first layer of a GRU in a model file: the tensors named `prefix`weight_ih_l0 and so on."""

    def __init__(self, path: str, prefix: str, inputs: int, precision: Precision = ...) -> None: ...
    def run(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """States (steps, rows, hidden, up to a multiple of 16) of x (steps, rows, inputs), from zeros."""

class MaskEstimator:
    """The network alone, on the grid of a sample rate; carries its state from call to call."""

    def __init__(self, model: Model, sample_rate: float, channels: int) -> None: ...
    @property
    def look_ahead(self) -> int:
        """Frames that the masks are late."""

    def reset(self) -> None: ...
    def masks(self, spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Masks (channels, frames, bins): of as many frames as there are spectra, or, of a network that looks
        ahead, that many less the first `look_ahead` since the beginning.
        """
