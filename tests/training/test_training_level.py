"""The running level, against a plain loop, and what it is for: networks that do not hear the gain."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402

from pyvocsep.grid import Grid, analyse  # noqa: E402
from pyvocsep.metrics import usdr  # noqa: E402
from pyvocsep.training.level import FLOOR, energies, frame_decay, random_past, running_level  # noqa: E402
from pyvocsep.training.loop import separate  # noqa: E402
from pyvocsep.training.models import BandGRU  # noqa: E402

GRID = Grid(8000, 256, 128)


def expected_level(energy, decay):
    """The definition, frame by frame."""
    total = weight = 0.0
    levels = []
    for value in energy:
        share = value / (value + FLOOR)
        total, weight = decay * total + share * value, decay * weight + share
        levels.append(total / weight if weight > 0 else 0.0)
    return np.array(levels)


@hypothesis.given(
    seed=st.integers(0, 10_000),
    frames=st.integers(1, 1200),
    cut=st.integers(0, 1200),
    decay=st.floats(0.5, 0.999),
)
@hypothesis.settings(max_examples=25, deadline=None)
def test_the_level_is_its_definition_in_one_go_and_in_parts(seed, frames, cut, decay):
    rng = np.random.default_rng(seed)
    energy = 10 ** rng.uniform(-13, 0, frames) * (rng.random(frames) < 0.8)
    tensor = torch.from_numpy(energy)[None]
    whole, end = running_level(tensor, decay)
    np.testing.assert_allclose(whole[0], expected_level(energy, decay), rtol=1e-5, atol=1e-20)
    cut = min(cut, frames)
    if 0 < cut < frames:
        first, state = running_level(tensor[:, :cut], decay)
        second, last = running_level(tensor[:, cut:], decay, state)
        torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=1e-6, atol=0)
        torch.testing.assert_close(last, end, rtol=1e-9, atol=0)


def test_energies_are_the_mean_square_of_both_channels():
    audio = 0.2 * np.random.default_rng(0).standard_normal((2, 256 * 60)).astype(np.float32)
    audio[1] *= 0.3
    spectra = torch.from_numpy(analyse(audio, 256, 128)).permute(1, 2, 0)[None]
    left, right = spectra.unbind(-1)
    magnitudes = torch.stack([(left + right) / 2, (left - right) / 2, left, right], -1).abs() * (2 / 256)
    assert float(energies(magnitudes).mean()) == pytest.approx(float(np.mean(audio**2)), rel=0.03)


def test_silence_neither_counts_nor_makes_forget():
    energy = torch.cat([torch.zeros(1, 300), torch.full((1, 5), 1e-3), torch.zeros(1, 3000)], 1)
    levels, _ = running_level(energy, 0.99)
    np.testing.assert_array_equal(levels[0, :300], 0)
    np.testing.assert_allclose(levels[0, 300:], 1e-3, rtol=1e-5)


def test_memory_is_as_long_as_it_says():
    decay = frame_decay(4.0, 1024, 44_100)
    frames = round(4 * 44_100 / 1024)
    energy = torch.cat([torch.full((1, 5000), 1.0), torch.full((1, frames), 4.0)], 1)
    levels, _ = running_level(energy, decay)
    assert float(levels[0, -1]) == pytest.approx(4 - 3 / np.e, rel=1e-2)


def test_a_random_past_is_near_the_example_and_repeats_with_the_seed():
    energy = torch.rand(4000, 20)
    torch.manual_seed(1)
    past = random_past(energy, 0.99)
    torch.manual_seed(1)
    assert torch.equal(random_past(energy, 0.99), past)
    weight = past[:, 1]
    assert 0 <= weight.min() < 1
    assert 95 < weight.max() <= 100
    offset_db = 10 * torch.log10(past[:, 0] / weight / energy.mean(1))
    assert -5 < float(offset_db.mean()) < 0
    assert float((offset_db < -15).double().mean()) == pytest.approx(0.05, abs=0.02)


def noisy_network(level_seconds):
    torch.manual_seed(3)
    network = BandGRU(GRID, 32, blocks=2, zones=[(5, 4), (3, 20), (2, 25)], level_seconds=level_seconds)
    with torch.no_grad():
        for weight in network.decoder.weights:
            weight.mul_(4)  # masks that vary
    return network.eval()


@pytest.mark.parametrize("gain_db", [12, -20, -40, -60])
def test_a_network_with_a_level_does_not_hear_the_gain(gain_db):
    rng = np.random.default_rng(2)
    mixture = (0.08 * rng.standard_normal((2, 8000)) * np.linspace(0.2, 1, 8000)).astype(np.float32)
    vocals = mixture * rng.uniform(0.2, 0.8)
    gain = np.float32(10 ** (gain_db / 20))
    differences = []
    for seconds in (4.0, None):
        network = noisy_network(seconds)
        plain, changed = (separate(network, mixture * g, 8000) / g for g in (np.float32(1), gain))
        differences.append(abs(usdr(vocals, plain) - usdr(vocals, changed)))
    assert differences[0] < 0.01
    assert differences[1] > 0.1, "without a level the test would hear it"


def test_features_of_a_stream_continue():
    network = noisy_network(4.0)
    magnitudes = torch.rand(1, 50, 129, 4)
    whole, _ = network.level(magnitudes)
    first, past = network.level(magnitudes[:, :20])
    second, _ = network.level(magnitudes[:, 20:], past)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=1e-6, atol=0)


def test_a_senseless_memory_is_refused():
    with pytest.raises(ValueError, match="level_seconds is 0"):
        BandGRU(GRID, 32, zones=[(5, 4), (3, 20), (2, 25)], level_seconds=0.0)
