"""Measures of separation, in decibels."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

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


def bss_eval_v4(references: FloatArray, estimates: FloatArray, sample_rate: int) -> list[float]:
    """SDR of BSS Eval version 4; (stems, channels, samples), one per stem: medians over windows of 1 s.

    Stoter, Liutkus and Ito, "The 2018 signal separation evaluation campaign" (2018), as implemented by
    museval. Windows in which a stem is silent do not count. Its SIR and SAR are left out: their
    distortion filters have no stable solution for low-passed (lossy) or monophonic stems, of which short
    excerpts are full, and then mean nothing; the SDR does not depend on them.
    """
    stems = [np.moveaxis(audio, 1, 2).astype(np.float64) for audio in (references, estimates)]
    window = min(sample_rate, references.shape[-1])
    sdr, *_ = _museval()(
        *stems,
        window=window,
        hop=window,
        compute_permutation=False,
        filters_len=512,
        framewise_filters=False,
        bsseval_sources_version=False,
    )
    return [float(value) for value in np.nanmedian(sdr, axis=1)]


@lru_cache(maxsize=1)
def _museval() -> Callable[..., Any]:
    """museval's ``metrics.bss_eval``, without the package around it, which does not start without ffmpeg."""
    package = importlib.util.find_spec("museval")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("BSS Eval v4 needs museval: pip install pyvocsep[eval]", name="museval")
    file = Path(package.submodule_search_locations[0]) / "metrics.py"
    specification = importlib.util.spec_from_file_location("museval_metrics", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    found: Callable[..., Any] = module.bss_eval
    return found
