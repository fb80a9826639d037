"""A folder of dry solo singing: a folder of phrases for each singer, or packs of clips with an index.

The index, ``index.csv``, says who sings what where. It has a line for each clip: file, start_s, end_s,
singer, f0_hz (the median pitch, 0 where it is unclear), licence, repo and path (where it is from).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile  # type: ignore[import-untyped]

from pyvocsep.datasets.recordings import SUFFIXES, at_least_one, existing, reading

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
    """The singers of a folder: of "any" ``licences``, or clips alone whose terms are "open" (``OPEN``).

    Without an index each subfolder is a singer, and each audio file in it a whole phrase. Nothing tells the
    terms of these.
    """
    if licences not in ("any", "open"):
        raise ValueError(f'voices_licences is {licences!r}; it can be "any" or "open"')
    if (folder / INDEX).is_file():
        return _indexed(folder / INDEX, licences)
    if licences == "open":
        raise FileNotFoundError(f"no {folder / INDEX}; it says under which terms each clip is")
    subfolders = sorted(path for path in existing(folder).iterdir() if path.is_dir())
    singers = [Singer(path.name, _phrases(path)) for path in subfolders]
    return at_least_one(
        [singer for singer in singers if singer.clips], folder, f"{INDEX} and no folders of phrases by singer"
    )


def _indexed(index: Path, licences: str) -> list[Singer]:
    clips: dict[str, list[Clip]] = {}
    with index.open(newline="") as file:
        for row in csv.DictReader(file):
            if licences == "any" or row["licence"] in OPEN:
                singer = row["singer"]
                times = float(row["start_s"]), float(row["end_s"])
                phrase = singer.lower().startswith(PHRASED)
                clips.setdefault(singer, []).append(
                    Clip(index.parent / row["file"], *times, float(row["f0_hz"]), phrase)
                )
    if not clips:
        raise ValueError(f"{index} names no clip under {licences} terms")
    return [Singer(name, tuple(found)) for name, found in sorted(clips.items())]


def _phrases(folder: Path) -> tuple[Clip, ...]:
    clips = []
    for file in sorted(folder.iterdir()):
        if file.suffix in SUFFIXES:
            with reading(file):
                clips.append(Clip(file, 0.0, float(soundfile.info(file).duration), f0=0.0, phrase=True))
    return tuple(clips)
