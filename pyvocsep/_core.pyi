"""The C++ core (csrc/python/module.cpp). Use `pyvocsep`'s classes: here only memory safety is checked."""

import os
from typing import Final

import numpy as np
from numpy.typing import NDArray

def isa() -> str:
    """The instruction set in use, one of `available_isas`. RuntimeError if PYVOCSEP_ISA names another."""

def available_isas() -> list[str]:
    """Those of "baseline", "avx2", "avx512" and "neon" that this machine can run, the best last."""

class limits:  # noqa: N801 - a module
    """The constants of csrc/include/pyvocsep/limits.h."""

    MIN_SAMPLE_RATE: Final[int]
    """Of a stream and of a model, in Hz."""
    MAX_SAMPLE_RATE: Final[int]
    MAX_CHANNELS: Final[int]
    MAX_THREADS: Final[int]
    LARGEST_SAMPLE: Final[float]
    """Samples of a larger magnitude are processed as silence, like NaN."""
    MODEL_FORMAT: Final[str]
    """The metadata value `format` of the model files that this version reads."""
    MIN_FRAME: Final[int]
    """The shortest frame in samples."""
    MAX_FRAME: Final[int]
    MAX_FRAMES_AHEAD: Final[int]
    """Frames that a model may look ahead."""
    MAX_VALUES_AHEAD: Final[int]
    """Values that may wait in one of its blocks: bands times width times frames."""

def scaled_grid(n_fft: int, hop: int, model_rate: float, rate: float) -> tuple[int, int]:
    """Frame and hop in samples that put a stream of another rate on a model's grid.

    ValueError if hop does not divide n_fft, if a rate is not above 0 Hz, or if the frame would be outside
    MIN_FRAME to MAX_FRAME.
    """

def analyse(audio: NDArray[np.float32], frame: int, hop: int) -> NDArray[np.complex64]:
    """Spectra (channels, frames, frame / 2 + 1) of C-contiguous audio (channels, samples), not normalised.

    Frame t starts at sample t * hop; samples after the last whole frame are left out. The window is the
    square root of a periodic Hann window. ValueError if frame is not an FFT size (even, without prime factors
    above 7, MIN_FRAME to MAX_FRAME) or not two or more times hop. Releases the GIL.
    """

def synthesise(spectra: NDArray[np.complex64], frame: int, hop: int) -> NDArray[np.float32]:
    """The inverse of `analyse` by weighted overlap-add: (channels, (frames - 1) * hop + frame) samples.

    Samples that frame / hop frames hold are those of the analysed audio; towards both ends, where fewer
    frames overlap, the audio fades. Errors as `analyse`. Releases the GIL.
    """

class Precision:
    """The number format of the networks' matrix products."""

    float32: Precision
    bfloat16: Precision
    int8: Precision
    __members__: dict[str, Precision]

def has_precision(precision: Precision) -> bool:
    """Whether models can be read with this precision here."""

def usable_processors() -> int:
    """How many processors this process may use at once: its affinity mask, bounded by its control groups."""

class Model:
    """A model file, read and checked. OSError if it cannot be read, ValueError if it is not sound, or if this
    machine lacks the precision."""

    def __init__(self, path: str | bytes | os.PathLike[str], precision: Precision = ...) -> None: ...
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
