"""Durations as a clock shows them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Return a duration, to the nearest second, as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
