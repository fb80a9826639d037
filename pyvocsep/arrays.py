"""Arrays of audio: their type, the checks of what can be separated, and the names of the stems."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep._core import limits

STEMS = ("vocals", "accompaniment")
"""Names of the stems, in the order in which every function here returns them."""

Samples = NDArray[np.float32]
"""float32 audio, (channels, samples) or, for mono, (samples,); full scale is +-1."""


def check_sample_rate(sample_rate: float) -> None:
    """Raise ValueError unless streams of this rate, in Hz, can be separated."""
    if not limits.MIN_SAMPLE_RATE <= sample_rate <= limits.MAX_SAMPLE_RATE:
        raise ValueError(f"sample_rate is {sample_rate} Hz; {POSSIBLE_RATES} can be separated")


def check_channels(channels: int) -> None:
    """Raise ValueError unless streams of so many channels can be separated."""
    if not 1 <= channels <= limits.MAX_CHANNELS:
        raise ValueError(f"channels is {channels}; {POSSIBLE_CHANNELS} can be separated")


def check_threads(threads: int) -> None:
    """Raise ValueError unless the core can compute with so many threads."""
    if not 1 <= threads <= limits.MAX_THREADS:
        raise ValueError(f"threads is {threads}; it must be from 1 to {limits.MAX_THREADS}")


POSSIBLE_RATES = f"from {limits.MIN_SAMPLE_RATE} to {limits.MAX_SAMPLE_RATE} Hz"
POSSIBLE_CHANNELS = "1 (mono) and 2 (stereo)"


def as_float32(audio: NDArray[Any]) -> Samples:
    """Return audio as an aligned, C-contiguous float32 array, without a copy where it is one.

    Raises TypeError, saying how to convert, unless the samples are float32 or float64.
    """
    audio = np.asarray(audio)
    check_dtype(audio.dtype)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and that is silence
        samples = np.asarray(audio, dtype=np.float32, order="C")
    return samples if samples.flags.aligned else samples.copy()


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Raise TypeError, saying how to convert, unless samples of this type can be separated."""
    if dtype.kind != "f" or dtype.itemsize not in (4, 8):
        raise TypeError(f"the samples are {dtype}; {_conversion(dtype)}")


def check_out(out: NDArray[Any], shape: tuple[int, ...], block: NDArray[Any]) -> None:
    """Raise unless results for a block can be written to `out`.

    Raises:
        TypeError: it is no array of float32.
        ValueError: it has another shape, is not C-contiguous and aligned, cannot be written, or overlaps the
            block.
    """
    if not isinstance(out, np.ndarray) or out.dtype != np.float32:
        what = out.dtype if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(f"out is of type {what}; it must be an array of float32")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}; it must be that of the block, {shape}")
    if not (out.flags.c_contiguous and out.flags.aligned and out.flags.writeable):
        raise ValueError("out must be C-contiguous, aligned and writeable")
    if np.may_share_memory(out, block):
        raise ValueError("out overlaps the block; give it memory of its own")


def is_valid(block: Samples) -> NDArray[np.bool_]:
    """Tell of each sample whether it is separated as it is; NaN and what is beyond +-1e15 become silence."""
    with np.errstate(invalid="ignore"):
        return np.abs(block) <= limits.LARGEST_SAMPLE  # NaN fails the comparison


class InvalidSamples:
    """Counts the samples of a recording that are separated as silence.

    Attributes:
        total: how many so far.
        first: position of the first one, in samples from the start.
    """

    def __init__(self) -> None:
        self.total = 0
        self.first = 0
        self._position = 0

    def count(self, block: Samples) -> None:
        """Look through the next block (channels, samples)."""
        if not np.abs(block).max(initial=0) <= limits.LARGEST_SAMPLE:  # also true if the maximum is NaN
            invalid = ~is_valid(block)
            if self.total == 0:
                self.first = self._position + int(invalid.any(axis=0).argmax())
            self.total += int(invalid.sum())
        self._position += block.shape[1]


def _conversion(dtype: np.dtype[Any]) -> str:
    if dtype.kind in "iu":
        middle = " - 1" if dtype.kind == "u" else ""
        scale = 2 ** (8 * dtype.itemsize - 1)
        return f"convert them to float, full scale +-1, with (audio / {scale}{middle}).astype(np.float32)"
    if dtype.kind == "c":
        return "audio is real: pass audio.real if the imaginary part means nothing"
    return "convert them with audio.astype(np.float32)"
