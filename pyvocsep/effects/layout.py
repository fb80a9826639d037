"""Which axis of an array is the channels'."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.arrays import Samples, as_float32, check_dtype


class Layout:
    """Turns arrays of any layout into (channels, samples), and results back, by pedalboard's rules.

    An array is (samples,), (channels, samples) or (samples, channels). An axis as long as the last array had
    channels is the channels'; else the shorter axis is, unless it is empty. A square array is laid out as the
    last one was.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know no layout, as at first."""
        self._channels = 0
        self._interleaved = False
        self._ndim = 1

    def planes(self, array: NDArray[Any]) -> Samples:
        """Return the samples as C-contiguous float32 (channels, samples), and remember the array's layout.

        Raises:
            TypeError: not an array of float32 or float64.
            RuntimeError: not of 1 or 2 dimensions, or square while no layout is known.
            ValueError: not of 1 or 2 channels.
        """
        if not isinstance(array, np.ndarray):
            raise TypeError(f"the audio is of type {type(array).__name__}; pass a numpy array of floats")
        check_dtype(array.dtype)
        if array.ndim not in (1, 2):
            raise RuntimeError(
                f"the array has {array.ndim} dimensions; (samples,), (channels, samples) and "
                "(samples, channels) can be separated"
            )
        planar = np.atleast_2d(array)
        interleaved = array.ndim == 2 and self._is_interleaved(array.shape)
        if interleaved:
            planar = planar.T
        if planar.shape[0] not in (1, 2):
            raise ValueError(
                f"the array has shape {array.shape}, so {planar.shape[0]} channels; "
                "1 (mono) and 2 (stereo) can be separated"
            )
        self._channels, self._interleaved, self._ndim = planar.shape[0], interleaved, array.ndim
        return as_float32(planar)

    def restore(self, planes: Samples) -> Samples:
        """Return (channels, samples) in the layout of the array last seen, C-contiguous."""
        if self._ndim == 1:
            return planes.reshape(-1)
        return np.ascontiguousarray(planes.T if self._interleaved else planes)

    def planes_of(self, out: Samples) -> Samples:
        """Return memory of the last array's shape as (channels, samples), a view."""
        planes = np.atleast_2d(out)
        return planes.T if self._interleaved else planes

    def first(self, out: Samples, samples: int) -> Samples:
        """Return so many samples from the start of an array of the last one's shape, a view."""
        if samples == out.shape[0 if self._interleaved else -1]:
            return out
        return out[:samples] if self._interleaved else out[..., :samples]

    def _is_interleaved(self, shape: tuple[int, ...]) -> bool:
        rows, columns = shape
        if rows == columns:
            if not self._channels and shape != (1, 1):
                raise RuntimeError(
                    f"the array has shape {shape}: either axis may be the channels'. Pass one that is not "
                    "square first; the layout is then known until reset()"
                )
            return self._interleaved
        if self._channels and self._channels in shape:
            return rows != self._channels
        return (columns < rows and columns > 0) or rows == 0
