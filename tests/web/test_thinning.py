"""Thinned signals show what is in the long ones, in a bounded number of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvocsep.envelopes import envelope
from pyvocsep.web.thinning import FLOOR_DB, band_powers, vocal_activity, vocal_mask

RATE = 44_100


@given(st.integers(1, 2), st.integers(0, 3000), st.integers(1, 200), st.integers(0, 99))
def test_an_envelope_holds_every_peak(channels: int, samples: int, points: int, seed: int) -> None:
    audio = np.random.default_rng(seed).uniform(-1, 1, (channels, samples)).astype(np.float32)
    low, high = envelope(audio, points)
    assert len(low) == len(high) == min(points, samples)
    if samples:
        assert high.max() == audio.max()
        assert low.min() == audio.min()
        for part, (least, greatest) in enumerate(zip(low, high, strict=True)):
            if samples >= points:
                here = audio[:, part * samples // points : (part + 1) * samples // points]
                assert (least, greatest) == (here.min(), here.max())


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("hertz", [110.0, 1000.0, 3000.0])
def test_a_tone_is_where_it_should_be(rate: int, hertz: float) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(2 * rate) / rate).astype(np.float32)[np.newaxis]
    powers = band_powers(tone, rate, 50)
    assert powers.power.shape == (112, 50)
    middle = powers.db[:, 10:-10].mean(1)
    assert powers.hertz[middle.argmax()] == pytest.approx(hertz, rel=0.08)
    assert -16 < middle.max() < 0  # -3 dB, less what a band averages over its bins
    assert middle[np.abs(np.log2(powers.hertz / hertz)) > 1].max() < middle.max() - 45  # Hann's side lobes


def test_a_click_is_when_it_should_be() -> None:
    audio = np.zeros((2, 10 * RATE), np.float32)
    audio[:, 7 * RATE] = 1
    powers = band_powers(audio, RATE, 400)
    loud = powers.power.sum(0).argmax()
    assert (loud + 0.5) * powers.step_s == pytest.approx(7, abs=0.1)


def test_points_and_work_do_not_grow_with_the_length(monkeypatch: pytest.MonkeyPatch) -> None:
    transformed = []
    rfft = np.fft.rfft
    monkeypatch.setattr(np.fft, "rfft", lambda x, **more: (transformed.append(x.size), rfft(x, **more))[1])
    sizes = []
    for minutes in (5, 20):
        transformed.clear()
        audio = np.zeros((1, minutes * 60 * 8000), np.float32)
        assert band_powers(audio, 8000, 700).power.shape == (112, 700)
        assert len(envelope(audio, 1500)[0]) == 1500
        sizes.append(sum(transformed))
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("samples", [1, 50, 5000])
def test_short_recordings(samples: int) -> None:
    audio = np.full((2, samples), 0.1, np.float32)
    powers = band_powers(audio, RATE, 700)
    assert powers.power.shape[1] >= 1
    assert np.isfinite(powers.db).all()
    assert powers.step_s * powers.power.shape[1] == pytest.approx(samples / RATE)


def test_silence_is_the_floor() -> None:
    assert (band_powers(np.zeros((1, RATE), np.float32), RATE, 20).db == FLOOR_DB).all()


def test_the_mask_is_the_share_of_the_vocals() -> None:
    noise = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    of = [band_powers(gain * noise, RATE, 30) for gain in (np.float32(3), np.float32(1), np.float32(0))]
    np.testing.assert_allclose(vocal_mask(of[0], of[1]), 0.75, atol=1e-3)
    np.testing.assert_allclose(vocal_mask(of[0], of[2]), 1, atol=1e-5)
    np.testing.assert_allclose(vocal_mask(of[2], of[2]), 0)


def test_vocal_activity() -> None:
    rng = np.random.default_rng(0)
    vocals = 0.1 * rng.standard_normal((2, 4 * RATE)).astype(np.float32)
    vocals[:, RATE : 2 * RATE] *= 0.001  # a trace
    vocals[:, 3 * RATE :] = 0
    accompaniment = 0.3 * rng.standard_normal((2, 4 * RATE)).astype(np.float32)
    active = vocal_activity(vocals, accompaniment, 40)
    np.testing.assert_array_equal(active, np.repeat([True, False, True, False], 10))
    assert not vocal_activity(np.zeros_like(vocals), accompaniment, 40).any()
