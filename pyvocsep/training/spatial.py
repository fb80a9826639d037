"""The spatial filter that turns masks of mid and side into vocals, in numpy: the reference of the core's.

It is ``csrc/nn/spatial_filter.h``, whose head has the formulas and where they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pyvocsep.grid import Spectra

PLACE = 0.6
"""How far a stem's shares of mid and side move to where it has been."""

COHERENCE = 0.95
"""What is kept of the coherence that was measured."""

_SMALL, _TINY = 1e-6, 1e-30

Numbers = npt.NDArray[Any]


def filter_vocals(spectra: Spectra, masks: npt.NDArray[np.float32], scale: float, decay: float) -> Spectra:
    """The vocals of a stream, frame by frame from its first.

    ``spectra`` and ``masks`` (2, frames, bins) are of mid and side, the spectra in any unit that ``scale``
    brings to full scale. ``decay`` is the factor by which one hop fades what was measured before.
    """
    x = spectra.astype(np.complex128) * scale
    energy = np.square(np.abs(x))
    shares = energy / (energy.sum(0) + _TINY)
    stems = []
    for mask in (masks.astype(np.float64), 1.0 - masks.astype(np.float64)):
        stems.append(_covariances(mask * x, mask * shares, decay))
    (mid, side, cross), (other_mid, other_side, other_cross) = stems
    # With C = V + A + small I, the vocals are V C^-1 X.
    c_mid, c_side, c_cross = mid + other_mid + _SMALL, side + other_side + _SMALL, cross + other_cross
    determinant = c_mid * c_side - np.square(np.abs(c_cross))
    y_mid = (c_side * x[0] - c_cross * x[1]) / determinant
    y_side = (c_mid * x[1] - c_cross.conj() * x[0]) / determinant
    vocals = np.stack([mid * y_mid + cross * y_side, cross.conj() * y_mid + side * y_side]) / scale
    return vocals.astype(np.complex64)


def _covariances(stem: Numbers, shares: Numbers, decay: float) -> tuple[Numbers, Numbers, Numbers]:
    """A stem's covariance matrices: energies of mid and side and their product, each (frames, bins)."""
    mid, side = (_measured(np.square(np.abs(channel)), decay) for channel in stem)
    cross = _measured(stem[0] * stem[1].conj(), decay)
    whole = mid + side + _TINY
    mid, side, cross = mid / whole, side / whole, cross / whole
    total = PLACE * shares.sum(0)
    local_mid, local_side = (1 - PLACE) * shares[0] + total * mid, (1 - PLACE) * shares[1] + total * side
    return local_mid, local_side, COHERENCE * cross * np.sqrt(local_mid * local_side / (mid * side + 1e-12))


def _measured(values: Numbers, decay: float) -> Numbers:
    """The faded sum over this frame and those before, and by half over neighbouring bins."""
    padded: Numbers = np.pad(np.stack(list(_faded(values, decay))), ((0, 0), (1, 1)))
    smooth: Numbers = padded[:, 1:-1] + 0.5 * (padded[:, :-2] + padded[:, 2:])
    return smooth


def _faded(values: Numbers, decay: float) -> Iterator[Numbers]:
    total = np.zeros_like(values[0])
    for value in values:
        total = decay * total + value
        yield total
