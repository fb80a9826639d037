"""Frames at other rates, and the core's transform against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from pyvocsep._core import limits
from pyvocsep.grid import Grid, analyse, synthesise


def is_smooth(n: int) -> bool:
    """Whether n has no prime factor above 7."""
    for prime in (2, 3, 5, 7):
        while n % prime == 0:
            n //= prime
    return n == 1


def test_frame_lengths_at_other_rates() -> None:
    grid = Grid(44_100, 2048, 1024)
    known = {44_100: 2048, 48_000: 2240, 96_000: 4480, 22_050: 1024}
    assert {rate: grid.frame_length(rate) for rate in known} == known


@pytest.mark.parametrize("grid", [Grid(44_100, 2048, 1024), Grid(16_000, 1024, 256)])
def test_frame_length_is_the_nearest_smooth_multiple(grid: Grid) -> None:
    for rate in range(8000, 192_001, 1713):
        wanted = grid.n_fft * rate / grid.sample_rate
        lengths = range(limits.MIN_FRAME, limits.MAX_FRAME + 1)
        candidates = [n for n in lengths if n % grid.overlap == 0 and is_smooth(n)]
        assert grid.frame_length(rate) == min(candidates, key=lambda n: (abs(n - wanted), n))


@pytest.mark.parametrize(("frame", "hop"), [(96, 48), (96, 24)])
def test_analysis_and_synthesis_are_an_identity(frame: int, hop: int) -> None:
    audio = np.random.default_rng(0).standard_normal((2, 960)).astype(np.float32)
    spectra = analyse(audio, frame, hop)
    inside = slice(frame - hop, 960 - frame + hop)
    np.testing.assert_allclose(synthesise(spectra, frame, hop)[:, inside], audio[:, inside], atol=1e-6)
    np.testing.assert_allclose(
        spectra[0, 1],
        np.fft.rfft(audio[0, hop : hop + frame] * np.sin(np.pi * np.arange(frame) / frame)),
        atol=1e-4,
    )
