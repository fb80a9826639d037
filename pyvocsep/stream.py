"""Separation of a stream, block by block."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.arrays import Samples, as_float32, check_out
from pyvocsep.engines.protocol import StemBlocks
from pyvocsep.engines.registry import open_stream
from pyvocsep.exclusive import Exclusive
from pyvocsep.models import DEFAULT


class Separator:
    """Separates one stream into vocals and accompaniment, with the same bits whatever the block sizes.

    Args:
        sample_rate: of the stream, in Hz, 8000 to 192000. Nothing is resampled.
        channels: 1 or 2.
        model: the name of a shipped model, as `band-gru` or `gru`, or the path of a model file.
        threads: how many to compute with; the result does not depend on it.
        precision: number format of the network's products, as for `pyvocsep.process`.

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

    A model that segments patches, as `cnn`, cannot stream: its Separator takes a whole recording in one call
    of `process`, without latency, and the next one after `flush` or `reset`.

    One Separator serves one stream, from one thread at a time; separators share nothing but the model's
    weights. Pickled or copied, it is its arguments, without the stream. After `os.fork` it goes on in both
    processes, in the child on one thread.
    """

    def __init__(
        self,
        sample_rate: float = 44_100,
        channels: int = 2,
        model: str | os.PathLike[str] = DEFAULT,
        threads: int = 1,
        precision: str = "float32",
    ) -> None:
        self._engine = open_stream(model, sample_rate, channels, threads, precision)
        self._sample_rate = sample_rate
        self._channels = channels
        self._model = os.fspath(model)
        self._arguments = (sample_rate, channels, model, threads, precision)
        self._ndim = 2
        self._exclusive = Exclusive("Separator")

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
        """Samples that the outputs lag behind the input.

        One frame of the model at the stream's rate, and a hop more for each frame that the model looks ahead.
        """
        return self._engine.latency_samples

    def process(
        self, block: NDArray[Any], out: tuple[Samples, Samples] | None = None
    ) -> tuple[Samples, Samples]:
        """Separate the next samples of the stream.

        Args:
            block: float32 or float64, (channels, samples), or (samples,) for a mono separator; any number of
                samples, 0 included. Samples that are not finite, or beyond +-1e15, are processed as silence.
            out: for the vocals and the accompaniment, C-contiguous float32 arrays of the block's shape that
                do not overlap it. Nothing is allocated then, if the block is C-contiguous float32 too.

        Returns:
            vocals and accompaniment: new float32 arrays of the block's shape, or those of `out`,
            `latency_samples` late. The first `latency_samples` of a stream are zeros.

        Raises:
            TypeError: the samples are not float32 or float64, or `out` is not float32.
            ValueError: the shape does not fit the separator's channels, or `out` not the block; this is not
                the first block, and the model cannot stream.
            RuntimeError: another thread is inside this separator.
        """
        with self._exclusive:
            mixture = as_float32(block)
            self._check_shape(mixture.shape)
            planes = mixture.reshape(self._channels, mixture.shape[-1])
            if out is None:
                stems = self._engine.process(planes)
                self._ndim = mixture.ndim
                return self._in_shape_of_blocks(stems)
            vocals, accompaniment = out
            for stem in out:
                check_out(stem, mixture.shape, block)
            if np.may_share_memory(vocals, accompaniment):
                raise ValueError("the two arrays of out overlap")
            self._engine.process_into(
                planes, vocals.reshape(planes.shape), accompaniment.reshape(planes.shape)
            )
            self._ndim = mixture.ndim
            return vocals, accompaniment

    def flush(self) -> tuple[Samples, Samples]:
        """End the stream: return its last `latency_samples`, and be ready for a new one.

        The arrays have as many dimensions as the last block had (2 if there was none).

        Raises RuntimeError if another thread is inside this separator.
        """
        with self._exclusive:
            tail = self._in_shape_of_blocks(self._engine.flush())
            self._ndim = 2
            return tail

    def reset(self) -> None:
        """Forget the stream; the next block begins a new one.

        Raises RuntimeError if another thread is inside this separator.
        """
        with self._exclusive:
            self._engine.reset()
            self._ndim = 2

    def __reduce__(self) -> tuple[type[Separator], tuple[Any, ...]]:
        return type(
            self
        ), self._arguments  # the configuration: a copy, or one in another process, begins a stream

    def __repr__(self) -> str:
        return f"Separator(sample_rate={self.sample_rate}, channels={self.channels}, model={self.model!r})"

    def _in_shape_of_blocks(self, stems: StemBlocks) -> StemBlocks:
        """Return the stems with as many dimensions as the last block had."""
        vocals, accompaniment = (stem.reshape(stem.shape[-self._ndim :]) for stem in stems)
        return vocals, accompaniment

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if shape[:-1] == (self._channels,) or (len(shape) == 1 and self._channels == 1):
            return
        expected = f"({self._channels}, samples)" + (" or (samples,)" if self._channels == 1 else "")
        transposed = len(shape) == 2 and shape[1] == self._channels
        hint = "; it looks like (samples, channels): pass block.T" if transposed else ""
        raise ValueError(f"the block has shape {shape}, this separator takes {expected}{hint}")
