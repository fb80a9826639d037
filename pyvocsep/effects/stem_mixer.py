"""Separation as an effect, with the call signature and the manners of pedalboard's plugins."""

from __future__ import annotations

import math
import operator
import os
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep import _core
from pyvocsep.exclusive import Exclusive
from pyvocsep.layout import Layout
from pyvocsep.models import DEFAULT, load_model
from pyvocsep.separator import Samples, check_sample_rate, check_threads

MAX_LEVEL_DB = 60.0


class Effect(ABC):
    """What is common to all effects: pedalboard's contract, less the signal processing.

    It is for one stream, from one thread at a time: a second thread in the same effect is a RuntimeError.
    """

    def __init__(self) -> None:
        self._alone = Exclusive(type(self).__name__)
        self._layout = Layout()

    @property
    def is_effect(self) -> bool:
        """True: it turns audio into audio."""
        return True

    @property
    def is_instrument(self) -> bool:
        """False: it plays no notes."""
        return False

    def process(
        self, input_array: NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Samples:
        """Run audio through the effect: a whole recording, or with `reset=False` the next block of a stream.

        Args:
            input_array: float32 or float64, of shape (samples,), (channels, samples) or (samples, channels),
                1 or 2 channels. The shorter axis is taken for the channels, unless the array before tells
                better; for a square one it must.
            sample_rate: in Hz.
            buffer_size: the most samples that are handed on at once; plugins of pedalboard heed it.
            reset: True: the array is all there is. The output is as long and aligned with it. False: it goes
                on where the last call ended. The output is late, and the first samples, which would be the
                silence before the start, are left out: so it is shorter at first, or empty, and from then on
                as long as the input. `flush` returns what is missing at the end. Begin the next stream with
                `reset()`; another sample rate or number of channels begins one too.

        Returns:
            A new C-contiguous float32 array with the input's layout.

        Raises:
            TypeError: not an array of float32 or float64; not a number as sample_rate or buffer_size.
            RuntimeError: a square or more than two-dimensional array; another thread is inside.
            ValueError: a rate or number of channels that cannot be processed.
        """
        if not isinstance(sample_rate, Real):
            raise TypeError(f"sample_rate is {sample_rate!r}; it must be a number, in Hz")
        if operator.index(buffer_size) < 1:
            raise ValueError(f"buffer_size is {buffer_size}; it must be at least 1")
        with self._alone:
            planes = self._layout.planes(input_array)
            return self._layout.restore(self._process(planes, sample_rate, buffer_size, reset))

    def __call__(
        self, input_array: NDArray[Any], sample_rate: float, buffer_size: int = 8192, reset: bool = True
    ) -> Samples:
        """Do what `process` does."""
        return self.process(input_array, sample_rate, buffer_size, reset)

    def flush(self) -> Samples:
        """End the stream: return what has come in but not yet out, in the last block's layout, and reset.

        With it, the outputs of a stream joined are as long as its input. Empty if no stream is under way.
        pedalboard's plugins have no such method. Raises RuntimeError if another thread is inside.
        """
        with self._alone:
            tail = self._layout.restore(self._flush())
            self._layout.forget()
            self._reset()
            return tail

    def reset(self) -> None:
        """Forget the stream, and which axis is the channels'.

        Raises RuntimeError if another thread is inside.
        """
        with self._alone:
            self._layout.forget()
            self._reset()

    # What a Board calls too, which has the lock and knows the layout.

    @abstractmethod
    def _process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        """Do what `process` does to (channels, samples)."""

    @abstractmethod
    def _flush(self) -> Samples:
        """Return what a stream that ends still holds, (channels, samples)."""

    @abstractmethod
    def _reset(self) -> None:
        """Make the next block the first of a stream."""


class StemMixer(Effect):
    """Mixes the vocals and the accompaniment of a song anew: karaoke, a cappella, or anything between.

    Its signature, shapes, types and errors are those of pedalboard's plugins; see `process`. It goes where a
    plugin goes, but not into a `pedalboard.Pedalboard`, which takes C++ plugins only: use a `pyvocsep.Board`.

    Args:
        vocals_db, accompaniment_db: the level of each stem in dB: 0 leaves it as it is, minus infinity
            silences it.
        model: the name of a shipped model that streams, `band-gru` or `gru`, or the path of its file.
        threads: how many to compute with; the result does not depend on it.
        precision: of the network's products: "float32"; or, faster, "bfloat16" where the processor has
            AVX512-BF16 and "int8" where it has VNNI, which change a song's vocals by some -50 and -40 dB.

    Raises:
        ValueError: a level that is NaN or above 60 dB, threads out of range (1 to 64), an unknown model name,
            a file that is not a model, a model that cannot stream, a precision that is not this machine's.
        FileNotFoundError: no model file at the path.

    Sample rates from 8 to 192 kHz are taken as they are: nothing is resampled. Samples that are not finite,
    or beyond 1e15, are silence. The first block with a rate and a number of channels takes longer than the
    others, as memory is allocated; an empty one does for that.
    """

    def __init__(
        self,
        vocals_db: float = 0.0,
        accompaniment_db: float = -60.0,
        model: str | os.PathLike[str] = DEFAULT,
        threads: int = 1,
        precision: str = "float32",
    ) -> None:
        super().__init__()
        check_threads(threads)
        self._gains = [_gain("vocals_db", vocals_db), _gain("accompaniment_db", accompaniment_db)]
        self._levels_db = [float(vocals_db), float(accompaniment_db)]
        self._weights = load_model(model, precision)
        self._model = os.fspath(model)
        self._threads = threads
        self._core: _core.StemMixer | None = None
        self._stream = (0.0, 1)  # sample rate and channels
        self._begins = True  # the next sample in is the first
        self._early = 0  # samples out that are to be dropped, as they precede the first one in
        self._holds_tail = False  # has a stream under way

    @classmethod
    def vocals(
        cls, model: str | os.PathLike[str] = DEFAULT, threads: int = 1, precision: str = "float32"
    ) -> StemMixer:
        """Return an effect that keeps the vocals alone."""
        return cls(0.0, -math.inf, model, threads, precision)

    @classmethod
    def karaoke(
        cls, model: str | os.PathLike[str] = DEFAULT, threads: int = 1, precision: str = "float32"
    ) -> StemMixer:
        """Return an effect that keeps all but the vocals."""
        return cls(-math.inf, 0.0, model, threads, precision)

    @property
    def vocals_db(self) -> float:
        """Level of the vocals in dB. A change within a stream is a ramp, one hop long."""
        return self._levels_db[0]

    @vocals_db.setter
    def vocals_db(self, level: float) -> None:
        self._set_level(0, "vocals_db", level)

    @property
    def accompaniment_db(self) -> float:
        """Level of the accompaniment in dB. A change within a stream is a ramp, one hop long."""
        return self._levels_db[1]

    @accompaniment_db.setter
    def accompaniment_db(self, level: float) -> None:
        self._set_level(1, "accompaniment_db", level)

    @property
    def model(self) -> str:
        """The name or path of the model, as it was given."""
        return self._model

    @property
    def threads(self) -> int:
        """How many compute."""
        return self._threads

    @property
    def latency_samples(self) -> int:
        """How late a stream comes out: one frame at the sample rate in use, or the model's before any."""
        return self._weights.n_fft if self._core is None else self._core.latency_samples

    def __repr__(self) -> str:
        return (
            f"StemMixer(vocals_db={self.vocals_db}, accompaniment_db={self.accompaniment_db}, "
            f"model={self.model!r})"
        )

    def _set_level(self, stem: int, name: str, level: float) -> None:
        self._gains[stem] = _gain(name, level)
        self._levels_db[stem] = float(level)
        if self._core is not None:
            self._core.set_gains(*self._gains)

    def _process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        channels = planes.shape[0]
        if self._core is None or self._stream != (sample_rate, channels):
            check_sample_rate(sample_rate)
            self._core = _core.StemMixer(self._weights, sample_rate, channels, self._threads)
            self._core.set_gains(*self._gains)
            self._stream = (sample_rate, channels)
            self._begins = True
        latency = self._core.latency_samples
        if reset or self._begins:
            self._core.reset()
            self._early = latency
            self._begins = False
        output = self._push(self._core, planes)
        if reset:
            # As in pedalboard, whoever goes on with reset=False goes on after this silence.
            tail = self._push(self._core, np.zeros((channels, latency), np.float32))
            output = np.concatenate([output, tail], axis=1)
        self._holds_tail = not reset and (self._holds_tail or planes.shape[1] > 0)
        return output

    def _push(self, core: _core.StemMixer, planes: Samples) -> Samples:
        """Return the core's output, less what precedes the start of the stream."""
        output = np.empty_like(planes)
        core.process(planes, output)
        drop = min(self._early, output.shape[1])
        self._early -= drop
        return np.ascontiguousarray(output[:, drop:])

    def _flush(self) -> Samples:
        channels = self._stream[1]
        if self._core is None or not self._holds_tail:
            return np.empty((channels, 0), np.float32)
        return self._push(self._core, np.zeros((channels, self._core.latency_samples), np.float32))

    def _reset(self) -> None:
        self._begins = True
        self._early = 0
        self._holds_tail = False


def _gain(name: str, level: float) -> float:
    """Return the factor of a level in dB. ValueError, naming it, for one that makes no sense."""
    if not level <= MAX_LEVEL_DB:  # true for NaN too
        raise ValueError(f"{name} is {level}; it must be from minus infinity to {MAX_LEVEL_DB:g} dB")
    return float(10.0 ** (level / 20.0))
