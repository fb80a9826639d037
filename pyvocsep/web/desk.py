"""The mix desk: the stems of a finished song, mixed by the arithmetic of `pyvocsep.StemMixer`.

A StemMixer separates, then adds the stems, each times its gain, in float32. The page has separated already,
so only the second half is left. Its result is the StemMixer's to the bit, and models that cannot stream have
it, too.
"""

from __future__ import annotations

import math

import numpy as np

import pyvocsep
from pyvocsep.web.jobs import Refusal

SILENCE_DB = -60.0
"""The lower end of a slider, which is silence."""
LOUDEST_DB = 12.0


def gain(level_db: float) -> np.float32:
    """Return a slider's level as a factor; the slider's lower end is 0."""
    if not SILENCE_DB <= level_db <= LOUDEST_DB:  # true for NaN, too
        raise Refusal(f"A level of {level_db} dB is outside {SILENCE_DB:g} to {LOUDEST_DB:g}.")
    level_db = -math.inf if level_db == SILENCE_DB else level_db
    return np.float32(10.0 ** (level_db / 20.0))


def mix(stems: pyvocsep.Stems, vocals_db: float, accompaniment_db: float) -> np.ndarray:
    """Return both stems together at these levels, float32 (channels, samples).

    The same bits as `StemMixer(vocals_db, accompaniment_db)(mixture, sample_rate)`, of which the slider's
    lower end is minus infinity.
    """
    return gain(vocals_db) * stems.vocals + gain(accompaniment_db) * stems.accompaniment
