"""Folders of recordings, and which stems they hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import soundfile  # type: ignore[import-untyped]

from pyvocsep.arrays import STEMS

Found = TypeVar("Found")
SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}


@dataclass(frozen=True)
class Track:
    """One stem in a file: all of its channels, or one of them; of a long file, only the ``seconds`` in
    its middle.
    """

    path: Path
    channel: int | None = None
    seconds: float = math.inf


@dataclass(frozen=True)
class Pair:
    """A voice and the accompaniment it was recorded with; ``dry`` if nobody mixed them, their levels
    unrelated.
    """

    name: str
    artist: str
    vocals: Track
    accompaniment: Track
    dry: bool = False


def musdb(folder: Path) -> list[Pair]:
    """The songs of a folder laid out SONG/{vocals,accompaniment}.ogg (or any format soundfile reads)."""
    pairs = []
    for song in sorted(existing(folder).iterdir()):
        stems = (
            {file.stem: file for file in song.iterdir() if file.suffix in SUFFIXES} if song.is_dir() else {}
        )
        if set(STEMS) <= stems.keys():
            artist = song.name.split(" - ")[0]
            pairs.append(Pair(song.name, artist, Track(stems["vocals"]), Track(stems["accompaniment"])))
    return at_least_one(pairs, folder, "song folders with vocals and accompaniment")


def mir1k(folder: Path, singers: Sequence[str] | None = None) -> list[Pair]:
    """The clips of MIR-1K (left accompaniment, right vocals; singer_song_clip), of the named singers
    only if given.
    """
    wavfile = folder / "Wavfile"  # where the original archive keeps them
    files = sorted(
        file
        for file in existing(wavfile if wavfile.is_dir() else folder).iterdir()
        if file.suffix in SUFFIXES
    )
    pairs = [
        Pair(file.stem, file.stem.split("_")[0], Track(file, 1), Track(file, 0), dry=True)
        for file in files
        if file.stem.count("_") == 2 and (singers is None or file.stem.split("_")[0] in singers)
    ]
    return at_least_one(pairs, folder, "clips named singer_song_clip")


def instrumentals(folder: Path, seconds: float = math.inf, without: Sequence[str] = ()) -> list[Track]:
    """Every audio file below a folder, as music without a voice, ``seconds`` of each at most.

    Files in the subfolders (one for each collection of music) named by ``without`` are left out.
    """
    tracks = [
        Track(file, seconds=seconds)
        for file in sorted(existing(folder).rglob("*"))
        if file.suffix in SUFFIXES and file.relative_to(folder).parts[0] not in without
    ]
    return at_least_one(tracks, folder, "audio files")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns libsndfile's error within into a ValueError that names the file and says why."""
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path} cannot be read: {error.error_string}") from None


def existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; give the folder that holds the data sets with --data")
    return folder


def at_least_one(found: list[Found], folder: Path, what: str) -> list[Found]:
    if not found:
        raise FileNotFoundError(f"no {what} in {folder}")
    return found
