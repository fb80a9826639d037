"""The picture of a training: its loss, and how the held-out songs that it watches fare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyvocsep.arrays import STEMS


def plot_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw the loss, and the uSDR in dB of both stems of the watched songs, over steps, as a PNG.

    ``history`` holds the rows of a run's ``history.csv``: step, loss, vocals_db, accompaniment_db. Where no
    songs were watched, the last two are not a number, and there is the loss alone.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    is_watched = any(math.isfinite(row[f"{stem}_db"]) for row in history for stem in STEMS)
    figure = Figure(figsize=(8 if is_watched else 4, 3), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2 if is_watched else 1, squeeze=False)[0]
    panels[0].plot(steps, [row["loss"] for row in history])
    panels[0].set_ylabel("loss, mean since the last point")
    if is_watched:
        for stem in STEMS:
            panels[1].plot(steps, [row[f"{stem}_db"] for row in history], label=stem)
        panels[1].set_ylabel("uSDR of the watched songs (dB)")
        panels[1].legend()
    for panel in panels:
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=90)
