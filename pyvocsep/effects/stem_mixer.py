"""The effect that mixes vocals and accompaniment anew."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from pyvocsep import _core
from pyvocsep.arrays import Samples, check_sample_rate, check_threads
from pyvocsep.effects.effect import Effect
from pyvocsep.engines.latency import LatencyTrim
from pyvocsep.engines.mixing import gain_of_level
from pyvocsep.engines.registry import PRECISIONS, load_streaming_model
from pyvocsep.models import DEFAULT


class StemMixer(Effect):
    """Mixes the vocals and the accompaniment of a song anew: karaoke, a cappella, or anything between.

    Its signature, shapes, types and errors are those of pedalboard's plugins; see `process`. It goes where a
    plugin goes, but not into a `pedalboard.Pedalboard`, which takes C++ plugins only: use a `pyvocsep.Board`.

    Args:
        vocals_db: the vocals' level in dB: 0 leaves them as they are, minus infinity silences them.
        accompaniment_db: the accompaniment's.
        model: the name of a shipped model that streams, `band-gru` or `gru`, or the path of its file.
        threads: how many to compute with; the result does not depend on it.
        precision: number format of the network's products, as for `pyvocsep.process`.

    Raises:
        ValueError: a level that is NaN or above 60 dB, threads out of range (1 to 64), an unknown model name,
            a file that is not a model, a model that cannot stream, a precision that is not this machine's.
        FileNotFoundError: no model file at the path.

    Sample rates from 8 to 192 kHz are taken as they are: nothing is resampled. Samples that are not finite,
    or beyond +-1e15, are silence. The first block with a rate and a number of channels takes longer than the
    others, as memory is allocated; an empty one does for that. Pickled or copied, it is its configuration,
    without the stream; after `os.fork` it goes on in both processes, in the child on one thread.
    """

    def __init__(
        self,
        vocals_db: float = 0.0,
        accompaniment_db: float = -60.0,
        model: str | os.PathLike[str] = DEFAULT,
        threads: int = 1,
        precision: str = PRECISIONS[0],
    ) -> None:
        super().__init__()
        check_threads(threads)
        self._gains = [
            gain_of_level("vocals_db", vocals_db),
            gain_of_level("accompaniment_db", accompaniment_db),
        ]
        self._levels_db = [float(vocals_db), float(accompaniment_db)]
        self._weights = load_streaming_model(model, precision)
        self._model = os.fspath(model)
        self._threads = threads
        self._configuration = (model, threads, precision)
        self._core: _core.StemMixer | None = None
        self._stream = (0.0, 1)  # sample rate and channels
        self._at_stream_start = True
        self._latency_trim = LatencyTrim()
        self._has_pending = False  # whether samples of a stream came in that have not come out

    @classmethod
    def vocals(
        cls, model: str | os.PathLike[str] = DEFAULT, threads: int = 1, precision: str = PRECISIONS[0]
    ) -> StemMixer:
        """Return an effect that keeps the vocals alone."""
        return cls(0.0, -math.inf, model, threads, precision)

    @classmethod
    def karaoke(
        cls, model: str | os.PathLike[str] = DEFAULT, threads: int = 1, precision: str = PRECISIONS[0]
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
        """Samples that a stream is delayed: one frame at the rate in use, or at the model's before any."""
        return self._weights.n_fft if self._core is None else self._core.latency_samples

    def __reduce__(self) -> tuple[type[StemMixer], tuple[Any, ...]]:
        return type(self), (*self._levels_db, *self._configuration)  # without the stream

    def __repr__(self) -> str:
        return (
            f"StemMixer(vocals_db={self.vocals_db}, accompaniment_db={self.accompaniment_db}, "
            f"model={self.model!r})"
        )

    def _set_level(self, stem: int, name: str, level: float) -> None:
        self._gains[stem] = gain_of_level(name, level)
        self._levels_db[stem] = float(level)
        if self._core is not None:
            self._core.set_gains(*self._gains)

    def _process(
        self,
        planes: Samples,
        sample_rate: float,
        buffer_size: int,
        reset: bool,
        room: Samples | None = None,
    ) -> Samples:
        channels = planes.shape[0]
        if self._core is None or self._stream != (sample_rate, channels):
            check_sample_rate(sample_rate)
            self._core = _core.StemMixer(self._weights, sample_rate, channels, self._threads)
            self._core.set_gains(*self._gains)
            self._stream = (sample_rate, channels)
            self._at_stream_start = True
        latency = self._core.latency_samples
        if reset or self._at_stream_start:
            self._core.reset()
            self._latency_trim.restart(latency)
            self._at_stream_start = False
        output = self._push(self._core, planes, room)
        if reset:
            # As in pedalboard, a later call with reset=False continues the stream after this silence.
            tail = self._push(self._core, np.zeros((channels, latency), np.float32))
            output = np.concatenate([output, tail], axis=1)
        self._has_pending = not reset and (self._has_pending or planes.shape[1] > 0)
        return output

    def _push(self, core: _core.StemMixer, planes: Samples, room: Samples | None = None) -> Samples:
        """Return the core's output, less what precedes the start of the stream."""
        output = np.empty_like(planes) if room is None or not room.flags.c_contiguous else room
        core.process(planes, output)
        (aligned,) = self._latency_trim(output)
        return np.ascontiguousarray(aligned)

    def _flush(self) -> Samples:
        channels = self._stream[1]
        if self._core is None or not self._has_pending:
            return np.empty((channels, 0), np.float32)
        return self._push(self._core, np.zeros((channels, self._core.latency_samples), np.float32))

    def _reset(self) -> None:
        self._at_stream_start = True
        self._has_pending = False
