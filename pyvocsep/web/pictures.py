"""Waveforms and spectrograms as one Plotly figure on one time axis, with a bounded number of points."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]
from numpy.typing import NDArray
from plotly.subplots import make_subplots  # type: ignore[import-untyped]

from pyvocsep.envelopes import envelope
from pyvocsep.web.songs import Song
from pyvocsep.web.thinning import Powers, band_powers, vocal_activity, vocal_mask

POINTS = 1500
"""Of each waveform, whatever its length."""
COLUMNS = 700
"""Of each spectrogram."""
RANGE_DB = 75
"""From the loudest cell of the mixture down to what is drawn as nothing."""

MIXTURE, VOCALS, ACCOMPANIMENT = (134, 142, 150), (232, 89, 12), (28, 126, 214)
"""Red, green, blue; told apart by the colour-blind, too, and readable on light and dark grounds."""

_PARTS = (("Song", MIXTURE), ("Vocals", VOCALS), ("Accompaniment", ACCOMPANIMENT))
_EPOCH_MS = 1000.0  # the time axis is one of dates, which Plotly labels as minutes and seconds


def figure(song: Song, begin_s: float, end_s: float, show_mask: bool, zoom_by_drag: bool = True) -> Any:
    """Return the picture of a part of a song: vocal activity, three waveforms, three spectrograms.

    All rows share their time axis: zooming into one zooms into all. The mask, if shown, lies over the
    spectrogram of the song.
    """
    rate = song.stems.sample_rate
    here = slice(round(begin_s * rate), max(round(end_s * rate), round(begin_s * rate) + 1))
    vocals, accompaniment = song.stems.vocals[:, here], song.stems.accompaniment[:, here]
    signals = (vocals + accompaniment, vocals, accompaniment)
    made = make_subplots(
        rows=7,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.012,
        row_heights=[0.035, 0.1, 0.1, 0.1, 0.22, 0.22, 0.22],
    )
    _draw_activity(made, vocals, accompaniment, begin_s, end_s)
    peak = max(1e-3, float(np.abs(signals[0]).max()), float(np.abs(vocals).max()))
    for row, (signal, (name, colour)) in enumerate(zip(signals, _PARTS, strict=True), start=2):
        _draw_waveform(made, row, signal, name, colour, begin_s, end_s)
        made.update_yaxes(range=[-peak, peak], showticklabels=False, showgrid=False, row=row, col=1)
    powers = [band_powers(signal, rate, COLUMNS) for signal in signals]
    top = float(powers[0].db.max())
    for row, (power, (name, colour)) in enumerate(zip(powers, _PARTS, strict=True), start=5):
        cells = np.round(power.db).astype(np.int8)
        scale = [(0, _rgba(colour, 0)), (0.5, _rgba(colour, 0.45)), (1, _rgba(colour, 1))]
        limits = (top - RANGE_DB, top)
        _draw_cells(made, row, begin_s, power, cells, scale, limits, f"{name} %{{z}} dB")
    if show_mask:
        _draw_mask(made, vocal_mask(powers[1], powers[2]), powers[0].db > top - RANGE_DB, powers[0], begin_s)
    _lay_out(made, begin_s, end_s)
    made.update_layout(dragmode="zoom" if zoom_by_drag else False)
    return made


def share_with_voice(song: Song) -> float:
    """Return the share of a song's time, 0 to 1, in which somebody sings."""
    active = vocal_activity(song.stems.vocals, song.stems.accompaniment, max(1, round(10 * song.seconds)))
    return float(active.mean()) if len(active) else 0.0


def _draw_activity(
    made: Any, vocals: NDArray[np.float32], accompaniment: NDArray[np.float32], begin_s: float, end_s: float
) -> None:
    active = vocal_activity(vocals, accompaniment, POINTS // 3).astype(np.float32)
    edges = np.linspace(begin_s, end_s, len(active) + 1) * _EPOCH_MS
    made.add_trace(
        go.Scatter(
            x=edges,
            y=np.append(active, active[-1:]),
            mode="lines",
            line={"width": 0, "shape": "hv"},
            fill="tozeroy",
            fillcolor=_rgba(VOCALS, 1),
            hoverinfo="skip",
        ),
        row=1,
        col=1,
    )
    made.update_yaxes(range=[0, 1], showticklabels=False, showgrid=False, row=1, col=1)


def _draw_waveform(
    made: Any,
    row: int,
    signal: NDArray[np.float32],
    name: str,
    colour: tuple[int, int, int],
    begin_s: float,
    end_s: float,
) -> None:
    low, high = envelope(signal, POINTS)
    times = np.linspace(begin_s, end_s, len(low)) * _EPOCH_MS
    made.add_trace(
        go.Scatter(
            x=np.concatenate([times, times[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            fill="toself",
            fillcolor=_rgba(colour, 0.9),
            line={"width": 0.5, "color": _rgba(colour, 1)},
            mode="lines",
            name=name,
            hoverinfo="skip",
        ),
        row=row,
        col=1,
    )


def _draw_cells(
    made: Any,
    row: int,
    begin_s: float,
    powers: Powers,
    cells: NDArray[Any],
    scale: list[tuple[float, str]],
    limits: tuple[float, float],
    what: str,
) -> None:
    made.add_trace(
        go.Heatmap(
            x0=(begin_s + powers.step_s / 2) * _EPOCH_MS,
            dx=powers.step_s * _EPOCH_MS,
            y=powers.hertz,
            z=cells,
            colorscale=scale,
            zmin=limits[0],
            zmax=limits[1],
            showscale=False,
            hovertemplate=f"%{{x|%M:%S}} %{{y:.0f}} Hz, {what}<extra></extra>",
        ),
        row=row,
        col=1,
    )
    made.update_yaxes(
        type="log", tickvals=[100, 1000, 10_000], ticktext=["100 Hz", "1 kHz", "10 kHz"], row=row, col=1
    )


def _draw_mask(
    made: Any, mask: NDArray[np.float32], audible: NDArray[np.bool_], of: Powers, begin_s: float
) -> None:
    percent = np.where(audible, np.round(100 * mask), 0).astype(np.int8)
    scale = [(0, _rgba(VOCALS, 0)), (1, _rgba(VOCALS, 0.85))]
    _draw_cells(made, 5, begin_s, of, percent, scale, (0, 100), "mask %{z} %")


def _lay_out(made: Any, begin_s: float, end_s: float) -> None:
    made.update_xaxes(
        type="date",
        range=[begin_s * _EPOCH_MS, end_s * _EPOCH_MS],
        tickformat="%M:%S" if end_s < 3600 else "%H:%M:%S",
        showgrid=False,
        zeroline=False,
    )
    titles = ["voice", "song", "vocals", "accomp.", "song", "vocals", "accomp."]
    for row, title in enumerate(titles, start=1):
        made.update_yaxes(title={"text": title, "standoff": 4, "font": {"size": 11}}, row=row, col=1)
        made.update_yaxes(fixedrange=True, zeroline=False, tickfont={"size": 10}, row=row, col=1)
    made.update_layout(
        height=860,
        margin={"l": 4, "r": 4, "t": 8, "b": 4},
        showlegend=False,
        uirevision=f"{begin_s} {end_s}",  # what a visitor zoomed into stays when the mask is switched
    )


def _rgba(colour: tuple[int, int, int], alpha: float) -> str:
    return f"rgba({colour[0]},{colour[1]},{colour[2]},{alpha})"
