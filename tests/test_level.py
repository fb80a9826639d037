"""A running level in a model file: the gain of the input does not matter, and the promises hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_files import random_band_gru

import pyvocsep


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return random_band_gru(tmp_path / "level.safetensors", level_seconds="1.0")


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("gain_db", [12, -20, -40, -60])
def test_the_gain_of_the_input_is_the_gain_of_the_stems(model, mixture, channels, gain_db) -> None:
    audio = mixture(60_000, channels, peak=0.25)
    gain = np.float32(10 ** (gain_db / 20))
    expected = pyvocsep.process(audio, 44_100, model=str(model)).vocals
    found = pyvocsep.process(gain * audio, 44_100, model=str(model)).vocals / gain
    error = np.square(found - expected).sum() / np.square(expected).sum()
    assert 10 * np.log10(error + 1e-20) < -50


def test_a_stream_in_any_blocks_is_the_offline_result(model, mixture) -> None:
    audio = mixture(50_000)
    audio[:, 10_000:25_000] = 0
    audio[:, 40_000:] *= 0.01
    expected = pyvocsep.process(audio, 44_100, model=str(model)).vocals
    separator = pyvocsep.Separator(44_100, 2, model=str(model), threads=2)
    blocks = np.split(audio, [1, 700, 9_000, 9_064, 44_000], axis=1)
    parts = [separator.process(block)[0] for block in blocks] + [separator.flush()[0]]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1)[:, separator.latency_samples :], expected)


@pytest.mark.parametrize("value", ["0", "-1", "61", "long", "nan"])
def test_a_senseless_memory_is_refused(tmp_path, value) -> None:
    path = random_band_gru(tmp_path / "bad.safetensors", level_seconds=value)
    with pytest.raises(ValueError, match="level_seconds"):
        pyvocsep.Separator(44_100, 2, model=str(path))
