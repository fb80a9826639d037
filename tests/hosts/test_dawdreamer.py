"""The VST3 plugin in DawDreamer, a host for rendering from Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Mixture

import pyvocsep

daw: Any = pytest.importorskip("dawdreamer", reason="DawDreamer is not installed")

RATE = 44_100
LEVEL_STEPS = 1000
"""From -88 dB, which is silence, to 12 dB."""

pytestmark = pytest.mark.hosts


def level(db: float) -> float:
    """A level as a host's number from 0 to 1."""
    return (db + 88) * 10 / LEVEL_STEPS


@pytest.mark.parametrize("levels", [(0.0, -60.0), (-6.5, 0.0)])
def test_it_renders_the_bits_of_the_effect(mixture: Mixture, levels: tuple[float, float]) -> None:
    try:
        path = pyvocsep.vst3_path()
    except FileNotFoundError as error:
        pytest.skip(str(error.strerror))
    audio = mixture(RATE)
    engine = daw.RenderEngine(RATE, 512)
    plugin = engine.make_plugin_processor("stems", str(path))
    for index, db in enumerate(levels):
        plugin.set_parameter(index, level(db))
    engine.load_graph([(engine.make_playback_processor("song", audio), []), (plugin, ["song"])])
    engine.render(1.0)
    latency = plugin.get_latency_samples()
    assert latency == pyvocsep.Separator(RATE, 2).latency_samples
    expected = pyvocsep.StemMixer(*levels)(audio, RATE)
    heard = engine.get_audio()
    np.testing.assert_array_equal(heard[:, latency:RATE], expected[:, : RATE - latency])
