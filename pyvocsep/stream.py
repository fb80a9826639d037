"""Separation of a stream, block by block."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep import _core
from pyvocsep.exclusive import Exclusive
from pyvocsep.models import DEFAULT, load_model, looks_ahead, patch_model_path
from pyvocsep.patches import WholeRecording

MIN_SAMPLE_RATE = 8_000
MAX_SAMPLE_RATE = 192_000
MAX_THREADS = 64

Samples = NDArray[np.float32]
"""float32 audio, (channels, samples) or, for mono, (samples,); full scale is +-1."""


class Separator:
    """Separates one stream into vocals and accompaniment, with the same bits whatever the block sizes.

    Args:
        sample_rate: of the stream, in Hz, 8000 to 192000. Nothing is resampled.
        channels: 1 or 2.
        model: the name of a shipped model, as `band-gru` or `gru`, or the path of a model file.
        threads: how many to compute with; the result does not depend on it.
        precision: of the network's products: "float32"; or, faster, "bfloat16" where the processor has
            AVX512-BF16 and "int8" where it has VNNI, which change a song's vocals by some -50 and -40 dB.

    Raises:
        ValueError: rate, channels or threads out of range, an unknown model name, a file that is not a model,
            a precision that is unknown or not this machine's.
        FileNotFoundError: no model file at the path.
        ImportError: the model needs onnxruntime, which is not installed.

    The output is the input delayed by `latency_samples`, split in two: `vocals + accompaniment` equals the
    delayed input to the last float32 rounding. To get the stems aligned, join all that `process` and `flush`
    return and drop the first `latency_samples`::

        separator = Separator(sample_rate=48_000, channels=2)
        parts = [separator.process(block) for block in blocks] + [separator.flush()]
        vocals, accompaniment = (np.concatenate(stem, axis=-1) for stem in zip(*parts))
        vocals = vocals[:, separator.latency_samples :]

    A model that looks ahead, as `cnn`, cannot stream: its Separator takes a whole recording in one call of
    `process`, without latency, and the next one after `flush` or `reset`.

    One Separator serves one stream, from one thread at a time; separators share nothing but the model's
    weights.
    """

    def __init__(
        self,
        sample_rate: float = 44_100,
        channels: int = 2,
        model: str | os.PathLike[str] = DEFAULT,
        threads: int = 1,
        precision: str = "float32",
    ) -> None:
        check_sample_rate(sample_rate)
        if channels not in (1, 2):
            raise ValueError(f"channels is {channels}; 1 (mono) and 2 (stereo) can be separated")
        check_threads(threads)
        self._core: _core.Separator | WholeRecording
        if looks_ahead(model):
            self._core = WholeRecording(patch_model_path(model, precision), sample_rate, channels, threads)
        else:
            self._core = _core.Separator(load_model(model, precision), sample_rate, channels, threads)
        self._sample_rate = sample_rate
        self._channels = channels
        self._model = os.fspath(model)
        self._ndim = 2
        self._alone = Exclusive("Separator")

    @property
    def sample_rate(self) -> float:
        """Of the stream, in Hz."""
        return self._sample_rate

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self._channels

    @property
    def model(self) -> str:
        """The name or path of the model, as it was given."""
        return self._model

    @property
    def latency_samples(self) -> int:
        """How many samples the outputs lag behind the input: one frame of the model at the stream's rate."""
        return self._core.latency_samples

    def process(self, block: NDArray[Any]) -> tuple[Samples, Samples]:
        """Separate the next samples of the stream.

        Args:
            block: float32 or float64, (channels, samples), or (samples,) for a mono separator; any number of
                samples, 0 included. Samples that are not finite, or beyond 1e15, are taken as silence.

        Returns:
            vocals and accompaniment: new float32 arrays of the block's shape, `latency_samples` late. The
            first `latency_samples` of a stream are zeros.

        Raises:
            TypeError: the samples are not float32 or float64.
            ValueError: the shape does not fit the separator's channels; this is not the first block, and the
                model cannot stream.
            RuntimeError: another thread is inside this separator.
        """
        with self._alone:
            return self._process(as_float32(block))

    def flush(self) -> tuple[Samples, Samples]:
        """End the stream: return its last `latency_samples`, and be ready for a new one.

        The arrays have as many dimensions as the last block had (2 if there was none).

        Raises RuntimeError if another thread is inside this separator.
        """
        with self._alone:
            shape = (self._channels, self.latency_samples)
            tail = self._process(np.zeros(shape[-self._ndim :], np.float32))
            self._reset()
            return tail

    def reset(self) -> None:
        """Forget the stream; the next block begins a new one.

        Raises RuntimeError if another thread is inside this separator.
        """
        with self._alone:
            self._reset()

    def __repr__(self) -> str:
        return f"Separator(sample_rate={self.sample_rate}, channels={self.channels}, model={self.model!r})"

    def _process(self, mixture: Samples) -> tuple[Samples, Samples]:
        self._check_shape(mixture.shape)
        vocals, accompaniment = np.empty_like(mixture), np.empty_like(mixture)
        planes = [
            array.reshape(self._channels, mixture.shape[-1]) for array in (mixture, vocals, accompaniment)
        ]
        self._core.process(*planes)
        self._ndim = mixture.ndim
        return vocals, accompaniment

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if shape[:-1] == (self._channels,) or (len(shape) == 1 and self._channels == 1):
            return
        expected = f"({self._channels}, samples)" + (" or (samples,)" if self._channels == 1 else "")
        transposed = len(shape) == 2 and shape[1] == self._channels
        hint = "; it looks like (samples, channels): pass block.T" if transposed else ""
        raise ValueError(f"the block has shape {shape}, this separator takes {expected}{hint}")

    def _reset(self) -> None:
        self._core.reset()
        self._ndim = 2


def check_sample_rate(sample_rate: float) -> None:
    """Raise ValueError unless streams of this rate, in Hz, can be separated."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise ValueError(
            f"sample_rate is {sample_rate} Hz; "
            f"from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be separated"
        )


def check_threads(threads: int) -> None:
    """Raise ValueError unless the core can compute with so many threads."""
    if not 1 <= threads <= MAX_THREADS:
        raise ValueError(f"threads is {threads}; it must be from 1 to {MAX_THREADS}")


def as_float32(audio: NDArray[Any]) -> Samples:
    """Return audio as a C-contiguous float32 array, without a copy where it is one.

    Raises TypeError, saying how to convert, unless the samples are float32 or float64.
    """
    audio = np.asarray(audio)
    check_dtype(audio.dtype)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and that is silence
        return np.asarray(audio, dtype=np.float32, order="C")


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Raise TypeError, saying how to convert, unless samples of this type can be separated."""
    if dtype.kind != "f" or dtype.itemsize not in (4, 8):
        raise TypeError(f"the samples are {dtype}; {_conversion(dtype)}")


def _conversion(dtype: np.dtype[Any]) -> str:
    if dtype.kind in "iu":
        middle = " - 1" if dtype.kind == "u" else ""
        scale = 2 ** (8 * dtype.itemsize - 1)
        return f"convert them to float, full scale +-1, with (audio / {scale}{middle}).astype(np.float32)"
    if dtype.kind == "c":
        return "audio is real: pass audio.real if the imaginary part means nothing"
    return "convert them with audio.astype(np.float32)"
