"""The C++ core (csrc/python/module.cpp). Use `pyvocsep`'s classes: here only memory safety is checked."""

import numpy as np
from numpy.typing import NDArray

def isa() -> str:
    """The instruction set in use, one of `available_isas`. RuntimeError if PYVOCSEP_ISA names another."""

def available_isas() -> list[str]:
    """Those of "baseline", "avx2", "avx512" and "neon" that this machine can run, the best last."""

def rfft(x: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Spectra (frames, size/2 + 1) of x (frames, size).

    ValueError unless size is even, 7-smooth, 64 to 16384.
    """

def irfft(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """The inverse of `rfft`, of one spectrum (size/2 + 1,)."""

def multiply_adds(rounds: int, precision: Precision = ...) -> float:
    """Multiply-adds on registers alone, the most that a core can do; returns how many there were."""

def scaled_grid(n_fft: int, hop: int, model_rate: float, rate: float) -> tuple[int, int]:
    """Frame and hop in samples that put a stream of another rate on a model's grid. ValueError if none do."""

class Precision:
    """What the networks' products are computed in."""

    float32: Precision
    bfloat16: Precision
    int8: Precision

def has_precision(precision: Precision) -> bool:
    """Whether models can be read with this precision here."""

class Model:
    """A model file, read and checked. OSError if it cannot be read, ValueError if it is not sound, or if this
    machine lacks the precision."""

    def __init__(self, path: str, precision: Precision = ...) -> None: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def architecture(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def n_fft(self) -> int: ...
    @property
    def hop(self) -> int: ...

class Separator:
    """One stream. ValueError for a rate, number of channels or threads out of range."""

    def __init__(self, model: Model, sample_rate: float, channels: int, threads: int = 1) -> None: ...
    @property
    def latency_samples(self) -> int: ...
    def reset(self) -> None: ...
    def process(
        self,
        input: NDArray[np.float32],
        vocals: NDArray[np.float32],
        accompaniment: NDArray[np.float32],
    ) -> None:
        """Fills the stems; all arrays are C-contiguous (channels, samples). Releases the GIL."""

class StemMixer:
    """One stream, and one output: both stems, each with a level. Errors as Separator's."""

    def __init__(self, model: Model, sample_rate: float, channels: int, threads: int = 1) -> None: ...
    @property
    def latency_samples(self) -> int: ...
    def set_gains(self, vocals: float, accompaniment: float) -> None:
        """Linear gains: from the next block on, by a ramp over one hop; at once after `reset`."""
    def reset(self) -> None: ...
    def process(self, input: NDArray[np.float32], output: NDArray[np.float32]) -> None:
        """Fills the output; both arrays are C-contiguous (channels, samples). Releases the GIL."""

class MaskEstimator:
    """The network alone, on the grid of a sample rate; carries its state from call to call."""

    def __init__(self, model: Model, sample_rate: float, channels: int) -> None: ...
    def reset(self) -> None: ...
    def masks(self, spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Masks of the same shape as the spectra: (channels, frames, bins)."""

class GruLayer:
    """The first layer of a GRU in a model file: the tensors named `prefix`weight_ih_l0 and so on."""

    def __init__(self, path: str, prefix: str, inputs: int, precision: Precision = ...) -> None: ...
    def run(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """States (steps, rows, hidden, up to a multiple of 16) of x (steps, rows, inputs), from zeros."""
