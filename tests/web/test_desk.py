"""The mix desk gives the bits of StemMixer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import Mixture

import pyvocsep
from pyvocsep.models import DEFAULT_FOR_FILES
from pyvocsep.web import desk
from pyvocsep.web.jobs import Refusal

RATE = 44_100


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("vocals_db", "accompaniment_db"), [(0, 0), (-6.5, 3), (desk.SILENCE_DB, 0), (12, desk.SILENCE_DB)]
)
def test_the_mix_is_the_stem_mixers(
    mixture: Mixture, channels: int, vocals_db: float, accompaniment_db: float
) -> None:
    audio = mixture(2 * RATE, channels)
    levels = [-math.inf if level == desk.SILENCE_DB else level for level in (vocals_db, accompaniment_db)]
    expected = pyvocsep.StemMixer(*levels, model=DEFAULT_FOR_FILES)(audio, RATE)
    mixed = desk.mix(pyvocsep.process(audio, RATE), vocals_db, accompaniment_db)
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed, expected)


@pytest.mark.parametrize("level", [-60.5, 12.1, math.nan, math.inf])
def test_levels_out_of_range(level: float) -> None:
    with pytest.raises(Refusal, match="outside"):
        desk.gain(level)
