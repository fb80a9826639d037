"""Measures of separation, in decibels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def usdr(reference: FloatArray, estimate: FloatArray) -> float:
    """Energy of the reference over energy of the error, both (channels, samples), over the whole excerpt.

    The "uSDR" of the Music Demixing Challenge (Mitsufuji et al., 2021, eq. 1). A perfect estimate is infinite, and
    a silent reference minus infinity.
    """
    if reference.shape != estimate.shape:
        raise ValueError(f"reference {reference.shape} and estimate {estimate.shape} differ in shape")
    energy = float(np.sum(np.square(reference, dtype=np.float64)))
    error = float(np.sum(np.square(reference.astype(np.float64) - estimate)))
    with np.errstate(divide="ignore"):
        return float(10 * (np.log10(energy) - np.log10(error)))
