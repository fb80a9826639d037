"""The core's FFT against numpy's, at every size it supports."""

from __future__ import annotations

import numpy as np
import pytest

_testing = pytest.importorskip(
    "pyvocsep._testing", reason="built without it: -C cmake.define.PYVOCSEP_TEST_MODULE=ON"
)


def smooth_sizes() -> list[int]:
    """Even numbers from 64 to 16384 without prime factors above 7."""
    sizes = set()
    for size in range(64, 16385, 2):
        rest = size
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            sizes.add(size)
    return sorted(sizes)


def test_every_size_equals_numpy_to_float32_rounding() -> None:
    rng = np.random.default_rng(0)
    for size in smooth_sizes():
        x = rng.standard_normal(size).astype(np.float32)
        exact = np.fft.rfft(x.astype(np.float64))
        scale = np.sqrt(np.mean(np.abs(exact) ** 2))
        # float32 rounds at 6e-8; the passes of a transform add up to a few of these.
        assert np.abs(_testing.rfft(x[None])[0] - exact).max() < 1.2e-6 * scale, size
        assert np.abs(_testing.irfft(exact.astype(np.complex64)) - x).max() < 3e-6, size


@pytest.mark.parametrize("size", [0, 62, 65, 176, 16386])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=r"prime factors above 7|no FFT is as long"):
        _testing.rfft(np.zeros((1, size), np.float32))


def test_only_float32_is_taken() -> None:
    with pytest.raises(TypeError):
        _testing.rfft(np.zeros((1, 64)))  # type: ignore[arg-type]
