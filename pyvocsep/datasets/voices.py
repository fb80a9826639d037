"""A folder of dry solo singing: packs of clips, and an index that says who sings what where.

``index.csv`` has a line for each clip: file, start_s, end_s, singer, f0_hz (the median pitch, 0 where it is
unclear), licence, repo and path (where it is from).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INDEX = "index.csv"
PHRASED = ("ravdess", "gtsinger")
"""Singers whose clips are whole phrases, by the beginning of their names; others sing syllables on one
note."""

OPEN = frozenset(
    {
        "CC0-1.0",
        "CC-BY-4.0",
        "public-domain waiver",
        "do as you like",
        "do whatever",
        "Kumi ToU",
        "Kumi ToU (edit, other use, commercial allowed)",
        "Scottpoid ToU (any edit, any use)",
    }
)
"""Terms, in the words of the index, that allow any use of what is made from a clip."""


@dataclass(frozen=True)
class Clip:
    """A stretch of one singer's voice; ``f0`` is its median pitch in Hz, 0 where that is unclear."""

    path: Path
    start: float
    end: float
    f0: float
    phrase: bool


@dataclass(frozen=True)
class Singer:
    """One voice and all of its clips."""

    name: str
    clips: Sequence[Clip]


def voices(folder: Path, licences: str = "any") -> list[Singer]:
    """The singers of a folder whose clips come under such terms: "any", or "open" ones only (``OPEN``)."""
    if licences not in ("any", "open"):
        raise ValueError(f'voices_licences is {licences!r}; it can be "any" or "open"')
    index = folder / INDEX
    if not index.is_file():
        raise FileNotFoundError(f"no {index}; it says which clips the folder of voices holds")
    clips: dict[str, list[Clip]] = {}
    with index.open(newline="") as file:
        for row in csv.DictReader(file):
            if licences == "any" or row["licence"] in OPEN:
                singer = row["singer"]
                times = float(row["start_s"]), float(row["end_s"])
                phrase = singer.lower().startswith(PHRASED)
                clips.setdefault(singer, []).append(
                    Clip(folder / row["file"], *times, float(row["f0_hz"]), phrase)
                )
    if not clips:
        raise ValueError(f"{index} names no clip under {licences} terms")
    return [Singer(name, tuple(found)) for name, found in sorted(clips.items())]
