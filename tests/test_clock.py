"""Durations as a clock shows them."""

from __future__ import annotations

import pytest

from pyvocsep.clock import clock


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (9.4, "0:09"), (59.6, "1:00"), (605, "10:05"), (3599.7, "1:00:00"), (36_000, "10:00:00")],
)
def test_minutes_and_hours_carry(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
