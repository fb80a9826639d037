"""The player and mix desk: a component in the browser, and what it is fed with.

The browser gets both stems as samples, a few seconds at a time, and mixes them itself: so the levels follow a
slider at once, switching between the song and its stems keeps the place, and stems can never run apart. What
is downloaded is mixed by the server (`desk`), at the levels of the sliders at that moment.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit

from pyvocsep.envelopes import envelope
from pyvocsep.web.desk import LOUDEST_DB, SILENCE_DB
from pyvocsep.web.downloads import FILE_TYPES, clipping, offered
from pyvocsep.web.songs import Song

_FOLDER = Path(__file__).parent / "player"
_POINTS = 600

SAMPLES_ROUTE = "/pyvocsep/samples/{token}"
FILES_ROUTE = "/pyvocsep/files/{token}/{part}.{suffix}"


def samples(song: Song, begin: int, count: int) -> bytes:
    """Return samples as little-endian int16, interleaved: of each moment the vocals' channels, then the
    accompaniment's. Full scale is the song's `scale`."""
    here = slice(begin, begin + count)
    planes = np.concatenate([song.stems.vocals[:, here], song.stems.accompaniment[:, here]])
    return (planes * np.float32(32767 / scale(song))).astype("<i2").T.tobytes()


def scale(song: Song) -> float:
    """Return the level that the largest integer stands for: 1, or the peak of a song that exceeds it."""
    return max(1.0, song.peak)


def show(song: Song, key: str) -> None:
    """Show the player of a song."""
    rate = song.stems.sample_rate
    data = {
        "samplesPath": SAMPLES_ROUTE.format(token=song.token),
        "filesPath": FILES_ROUTE.format(token=song.token, part="PART", suffix="SUFFIX"),
        "rate": rate,
        "channels": song.channels,
        "samples": song.samples,
        "scale": scale(song),
        "waves": _waves(song),
        "silenceDb": SILENCE_DB,
        "loudestDb": LOUDEST_DB,
        "formats": [
            {"name": name, "suffix": FILE_TYPES[name].suffix, "about": _about(song, name)}
            for name in offered(rate)
        ],
    }
    _component()(key=key, data=data)


def _about(song: Song, name: str) -> str:
    return f"{FILE_TYPES[name].about} {clipping(song.peak, name)}".strip()


def _waves(song: Song) -> dict[str, list[int]]:
    """Return the greatest magnitudes of both stems, in percent of the larger one's peak, for the overview."""
    made = {}
    for stem, audio in (("vocals", song.stems.vocals), ("accompaniment", song.stems.accompaniment)):
        low, high = envelope(audio, _POINTS)
        made[stem] = np.round(100 * np.maximum(-low, high) / max(song.peak, 1e-6)).astype(int).tolist()
    return made


@lru_cache(maxsize=1)
def _component() -> Any:
    parts = {part: (_FOLDER / f"player.{part}").read_text(encoding="utf-8") for part in ("html", "css", "js")}
    return streamlit.components.v2.component("pyvocsep_player", **parts)
