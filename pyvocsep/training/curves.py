"""The picture of a training: its loss, and how the held-out songs that it watches fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pyvocsep.arrays import STEMS


def plot_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw the loss, and the uSDR in dB of both stems of the watched songs, over steps, as a PNG.

    ``history`` holds the rows of a run's ``history.csv``: step, loss, vocals_db, accompaniment_db.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    figure = Figure(figsize=(8, 3), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.plot(steps, [row["loss"] for row in history])
    left.set_ylabel("loss, mean since the last point")
    for stem in STEMS:  # not a number, and not drawn, where none were watched
        right.plot(steps, [row[f"{stem}_db"] for row in history], label=stem)
    right.set_ylabel("uSDR of the watched songs (dB)")
    right.legend()
    for panel in (left, right):
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=90)
