"""Examples for the eye: spectrograms of a mixture, of the stems found in it, and of the true ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pyvocsep.datasets import Pair
from pyvocsep.grid import Grid, analyse

from .protocols import read
from .systems import Mixture, System

RANGE_DB = 80.0
"""From the brightest point of the mixture to the darkest that is drawn, in all panels."""

HIGHEST_HZ = 12_000.0


def picture(pair: Pair, system: System, path: Path, start: float = 0.0, seconds: float = 6.0) -> None:
    """Write a PNG of ``seconds`` of a song from ``start`` on, as ``system`` separates the whole of it.

    ValueError if the song is shorter than that.
    """
    vocals, rate = read(pair.vocals)
    accompaniment, _ = read(pair.accompaniment)
    mixture = Mixture(vocals, accompaniment, rate)
    first, last = round(start * rate), round((start + seconds) * rate)
    if start < 0 or seconds <= 0 or last > vocals.shape[1]:
        raise ValueError(
            f"{pair.name} has {vocals.shape[1] / rate:.1f} s; there are no {seconds:g} s from {start:g} s on"
        )
    found = system(mixture)
    panels = {
        "mixture": mixture.audio,
        "vocals, found": found[0],
        "vocals, true": vocals,
        "accompaniment, found": found[1],
        "accompaniment, true": accompaniment,
    }
    shown = {title: loudness(audio[:, first:last], rate) for title, audio in panels.items()}
    _draw(shown, path, start, seconds, rate)


def loudness(audio: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """Power of both channels (bins, frames), in dB."""
    frame = Grid(44_100, 2048, 1024).frame_length(rate)
    spectra = analyse(audio, frame, frame // 4)
    power = np.square(np.abs(spectra) * (2 / frame)).sum(0).T
    decibels: npt.NDArray[np.float32] = 10 * np.log10(power + 1e-12)
    return decibels


def _draw(
    shown: dict[str, npt.NDArray[np.float32]], path: Path, start: float, seconds: float, rate: int
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    top = float(shown["mixture"].max())
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, 2, sharex=True, sharey=True).T.ravel()
    # The mixture above its vocals, and one empty corner above the accompaniment.
    for panel, (title, image) in zip((*axes[:3], *axes[4:]), shown.items(), strict=True):
        panel.imshow(
            image,
            origin="lower",
            aspect="auto",
            extent=(start, start + seconds, 0, rate / 2000),
            vmin=top - RANGE_DB,
            vmax=top,
            cmap="magma",
        )
        panel.set_title(title, fontsize=9)
        panel.set_ylim(0, min(HIGHEST_HZ, rate / 2) / 1000)
    axes[3].axis("off")
    axes[1].set_ylabel("kHz")
    for panel in (axes[2], axes[5]):
        panel.set_xlabel("s")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Fewer colours make a third of the bytes.
    figure.canvas.draw()
    from PIL import Image

    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    Image.fromarray(pixels).quantize(64).save(path, optimize=True)
