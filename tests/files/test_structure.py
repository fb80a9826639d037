"""Durations in messages, to the hundredth of a second."""

from __future__ import annotations

import pytest

from pyvocsep.files.structure import clock


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        (0, "0.00 s"),
        (441, "0.01 s"),
        (44_100 * 59.5, "59.50 s"),
        (44_100 * 59.996, "1:00.00"),
        (44_100 * 60, "1:00.00"),
        (44_100 * 754.25, "12:34.25"),
        (44_100 * 3599, "59:59.00"),
        (44_100 * 3599.996, "1:00:00.00"),
        (44_100 * 3600, "1:00:00.00"),
        (44_100 * 45_296.75, "12:34:56.75"),
    ],
)
def test_seconds_minutes_and_hours(samples: float, shown: str) -> None:
    assert clock(samples, 44_100) == shown
