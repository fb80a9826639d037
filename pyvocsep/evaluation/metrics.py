"""Measures of separation, in decibels."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def usdr(reference: FloatArray, estimate: FloatArray) -> float:
    """Energy of the reference over energy of the error, both (channels, samples), over the whole excerpt.

    The "uSDR" of the Music Demixing Challenge (Mitsufuji et al., 2021, eq. 1). A perfect estimate is
    infinite, and a silent reference minus infinity.
    """
    if reference.shape != estimate.shape:
        raise ValueError(f"reference {reference.shape} and estimate {estimate.shape} differ in shape")
    energy = float(np.sum(np.square(reference, dtype=np.float64)))
    error = float(np.sum(np.square(reference.astype(np.float64) - estimate)))
    if energy == 0:
        return -np.inf
    with np.errstate(divide="ignore"):
        return float(10 * (np.log10(energy) - np.log10(error)))


class BSSEval(NamedTuple):
    """Distortion ratios of one stem: all errors, interference from the other stem, artifacts."""

    sdr: float
    sir: float
    sar: float


def bss_eval(references: FloatArray, estimates: FloatArray) -> list[BSSEval]:
    """BSS Eval version 3 with 512-tap filters and a fixed permutation; (stems, samples), one result per stem.

    Vincent, Gribonval and Fevotte, "Performance measurement in blind audio source separation" (2006), as
    implemented by mir_eval.
    """
    from mir_eval.separation import bss_eval_sources  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # mir_eval means to drop the module one day
        sdr, sir, sar, _ = bss_eval_sources(references, estimates, compute_permutation=False)
    return [BSSEval(*(float(value) for value in values)) for values in zip(sdr, sir, sar, strict=True)]
