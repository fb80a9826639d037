"""What is common to all effects: the call signature and the contract of pedalboard's plugins."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.arrays import Samples, check_out
from pyvocsep.effects.layout import Layout
from pyvocsep.exclusive import Exclusive


class Effect(ABC):
    """What is common to all effects: pedalboard's contract, less the signal processing.

    It is for one stream, from one thread at a time: a second thread in the same effect is a RuntimeError.
    """

    def __init__(self) -> None:
        self._exclusive = Exclusive(type(self).__name__)
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
        self,
        input_array: NDArray[Any],
        sample_rate: float,
        buffer_size: int = 8192,
        reset: bool = True,
        out: Samples | None = None,
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
            out: a C-contiguous float32 array of the input's shape that does not overlap it. A `StemMixer` in
                the middle of a stream then allocates nothing, if the input is C-contiguous float32 with the
                channels first.

        Returns:
            A new C-contiguous float32 array with the input's layout, or as much of `out` as was filled, from
            its first sample on.

        Raises:
            TypeError: not an array of float32 or float64; not a number as sample_rate or buffer_size; `out`
                not float32.
            RuntimeError: a square or more than two-dimensional array; another thread is inside.
            ValueError: a rate or number of channels that cannot be processed; an `out` that does not fit.
        """
        if not isinstance(sample_rate, Real):
            raise TypeError(f"sample_rate is {sample_rate!r}; it must be a number, in Hz")
        if operator.index(buffer_size) < 1:
            raise ValueError(f"buffer_size is {buffer_size}; it must be at least 1")
        with self._exclusive:
            planes = self._layout.planes(input_array)
            if out is None:
                return self._layout.restore(self._process(planes, sample_rate, buffer_size, reset))
            check_out(out, input_array.shape, input_array)
            room = self._layout.planes_of(out)
            result = self._process(planes, sample_rate, buffer_size, reset, room)
            filled = room[:, : result.shape[1]]
            if not np.may_share_memory(result, room) or result.shape[1] < room.shape[1]:
                filled[...] = result
            return self._layout.first(out, result.shape[1])

    def __call__(
        self,
        input_array: NDArray[Any],
        sample_rate: float,
        buffer_size: int = 8192,
        reset: bool = True,
        out: Samples | None = None,
    ) -> Samples:
        """Do what `process` does."""
        return self.process(input_array, sample_rate, buffer_size, reset, out)

    def flush(self) -> Samples:
        """End the stream: return what has come in but not yet out, in the last block's layout, and reset.

        With it, the outputs of a stream joined are as long as its input. Empty if no stream is under way.
        pedalboard's plugins have no such method. Raises RuntimeError if another thread is inside.
        """
        with self._exclusive:
            tail = self._layout.restore(self._flush())
            self._layout.forget()
            self._reset()
            return tail

    def reset(self) -> None:
        """Forget the stream, and which axis is the channels'.

        Raises RuntimeError if another thread is inside.
        """
        with self._exclusive:
            self._layout.forget()
            self._reset()

    # The signal processing, which a Board also calls: it holds the lock and knows the layout.

    @abstractmethod
    def _process(
        self,
        planes: Samples,
        sample_rate: float,
        buffer_size: int,
        reset: bool,
        room: Samples | None = None,
    ) -> Samples:
        """Do what `process` does to (channels, samples).

        The result may, but need not, be in `room`, memory of the planes' shape.
        """

    @abstractmethod
    def _flush(self) -> Samples:
        """Return what a stream that ends still holds, (channels, samples)."""

    @abstractmethod
    def _reset(self) -> None:
        """Make the next block the first of a stream."""
