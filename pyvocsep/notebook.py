"""What Jupyter shows: players and a small picture of separated stems, and a progress bar."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Mapping

import numpy as np

from pyvocsep.arrays import Samples
from pyvocsep.envelopes import envelope

LONGEST_S = 300.0
"""Of a longer recording the players play so much: a notebook keeps what it shows in its file."""

_COLOURS = {"vocals": "#e8590c", "accompaniment": "#1c7ed6"}
_POINTS = 400
_WIDTH, _HEIGHT = 600, 60
_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_BLOCK = 16_384  # frames per write: encoders put what they are given on the stack


def stems_html(stems: Mapping[str, Samples], sample_rate: float) -> str:
    """Return a table of the stems: a name, a waveform and a player each; it needs nothing from elsewhere.

    Args:
        stems: by name, (channels, samples) or (samples,).
        sample_rate: in Hz.
    """
    planes = {name: np.atleast_2d(stem) for name, stem in stems.items()}
    peak = max((float(np.abs(stem).max(initial=0)) for stem in planes.values()), default=0.0)
    seconds = max(stem.shape[1] for stem in planes.values()) / sample_rate
    note = ""
    if seconds > LONGEST_S:
        note = f"<p>The players play the first {LONGEST_S / 60:g} of {seconds / 60:.0f} minutes.</p>"
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th>"
        f"<td>{_waveform(stem, peak, _COLOURS.get(name, '#868e96'))}</td>"
        f"<td>{_player(stem[:, : round(LONGEST_S * sample_rate)], sample_rate, name)}</td></tr>"
        for name, stem in planes.items()
    )
    return f"<table>{rows}</table>{note}"


def progress_bar() -> Callable[[float, float], object]:
    """Return a progress callback that shows a bar: tqdm's for the terminal, or for notebooks in one."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    bar = tqdm(total=0, unit="s", bar_format="{percentage:3.0f}% |{bar}| {elapsed}<{remaining}")

    def progress(done: float, total: float) -> None:
        bar.total = total if math.isfinite(total) else None
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return progress


def _waveform(stem: Samples, peak: float, colour: str) -> str:
    low, high = envelope(stem, _POINTS)
    step = _WIDTH / max(1, len(low))
    scale = (_HEIGHT / 2 - 1) / max(peak, 1e-9)
    edges = np.concatenate([high, low[::-1]])
    places = np.concatenate([np.arange(len(low)), np.arange(len(low))[::-1]]) * step
    points = " ".join(f"{x:.1f},{_HEIGHT / 2 - scale * y:.1f}" for x, y in zip(places, edges, strict=True))
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}' role='img' "
        f"aria-label='waveform' style='max-width:100%'>"
        f"<polygon points='{points}' fill='{colour}' stroke='{colour}' stroke-width='0.5'/></svg>"
    )


def _player(stem: Samples, sample_rate: float, name: str) -> str:
    import soundfile  # type: ignore[import-untyped]

    is_mp3 = sample_rate in _MP3_RATES
    memory = io.BytesIO()
    container, subtype = ("MP3", "MPEG_LAYER_III") if is_mp3 else ("FLAC", "PCM_16")
    with soundfile.SoundFile(memory, "w", int(sample_rate), len(stem), subtype, format=container) as file:
        for start in range(0, stem.shape[1], _BLOCK):
            file.write(stem[:, start : start + _BLOCK].T)
    kind = "mpeg" if is_mp3 else "flac"
    data = base64.b64encode(memory.getvalue()).decode()
    return (
        f"<audio controls preload='none' aria-label='{name}' src='data:audio/{kind};base64,{data}'></audio>"
    )
