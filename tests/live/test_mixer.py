"""The callback's work is StemMixer's, in memory that is there from the start."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from conftest import Mixture

import pyvocsep
from pyvocsep.live.mixer import LARGEST_BLOCK, LiveMixer

RATE = 44_100


def play(mixer: LiveMixer, audio: np.ndarray, block: int, out_channels: int | None = None) -> np.ndarray:
    heard = []
    for start in range(0, audio.shape[1], block):
        indata = np.ascontiguousarray(audio[:, start : start + block].T)
        outdata = np.full((len(indata), out_channels or len(audio)), np.nan, np.float32)
        mixer.process(indata, outdata)
        heard.append(outdata)
    return np.concatenate(heard).T


@pytest.mark.parametrize("block", [64, 512, 999, LARGEST_BLOCK + 5])
def test_the_output_is_the_stem_mixers(mixture: Mixture, block: int) -> None:
    audio = mixture(2 * RATE)
    mixer = LiveMixer(RATE, 2, vocals_db=-3.0, accompaniment_db=-math.inf)
    heard = play(mixer, audio, block)
    late = mixer.latency_samples
    expected = pyvocsep.StemMixer(-3.0, -math.inf)(audio, RATE)
    np.testing.assert_array_equal(heard[:, late:], expected[:, : audio.shape[1] - late])
    assert not heard[:, :late].any()
    assert mixer.frames == audio.shape[1]
    assert 0 < mixer.load <= mixer.worst_load


def test_mono_is_heard_on_both_sides(mixture: Mixture) -> None:
    heard = play(LiveMixer(RATE, 1), mixture(RATE, 1), 512, out_channels=2)
    np.testing.assert_array_equal(heard[0], heard[1])
    assert heard.any()


def test_bypass_is_the_input_just_as_late(mixture: Mixture) -> None:
    audio = mixture(RATE)
    mixer = LiveMixer(RATE, 2, vocals_db=-math.inf, accompaniment_db=-20)
    mixer.bypassed = True
    mixer.reset()
    heard = play(mixer, audio, 512)
    late = mixer.latency_samples
    np.testing.assert_allclose(heard[:, late:], audio[:, :-late], rtol=0, atol=1e-6)


def test_levels_turn_while_it_plays(mixture: Mixture) -> None:
    audio = mixture(4 * RATE)
    mixer = LiveMixer(RATE, 2)
    play(mixer, audio[:, : 2 * RATE], 512)
    mixer.levels_db = (-math.inf, -math.inf)
    rest = play(mixer, audio[:, 2 * RATE :], 512)
    assert rest[:, :100].any(), "a ramp, not a jump"
    assert not rest[:, 3000:].any()


def test_latency_is_a_sum() -> None:
    mixer = LiveMixer(48_000, 2)
    separator = pyvocsep.Separator(48_000, 2)
    assert mixer.latency_samples == separator.latency_samples
    assert mixer.frame_samples == 2240
    assert mixer.look_ahead_samples == separator.latency_samples - 2240


def test_the_callback_allocates_no_audio_memory(mixture: Mixture) -> None:
    mixer = LiveMixer(RATE, 2)
    indata = np.ascontiguousarray(mixture(4096).T)  # far more than the objects of Python that come and go
    outdata = np.empty_like(indata)
    for _ in range(50):
        mixer.process(indata, outdata)
    tracemalloc.start()
    try:
        mixer.process(indata, outdata)
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            mixer.process(indata, outdata)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < indata.nbytes / 2, "a block alone would be more"
    assert after - before < 512
