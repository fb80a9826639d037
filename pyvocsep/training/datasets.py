"""Folders of recordings: which stems they hold, and their samples."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile  # type: ignore[import-untyped]

from .grid import Audio

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
    for song in sorted(_folder(folder).iterdir()):
        stems = (
            {file.stem: file for file in song.iterdir() if file.suffix in SUFFIXES} if song.is_dir() else {}
        )
        if {"vocals", "accompaniment"} <= stems.keys():
            artist = song.name.split(" - ")[0]
            pairs.append(Pair(song.name, artist, Track(stems["vocals"]), Track(stems["accompaniment"])))
    return _some(pairs, folder, "song folders with vocals and accompaniment")


def mir1k(folder: Path, singers: Sequence[str] | None = None) -> list[Pair]:
    """The clips of MIR-1K (left accompaniment, right vocals; singer_song_clip), of the named singers
    only if given.
    """
    wavfile = folder / "Wavfile"  # where the original archive keeps them
    files = sorted(
        file for file in _folder(wavfile if wavfile.is_dir() else folder).iterdir() if file.suffix in SUFFIXES
    )
    pairs = [
        Pair(file.stem, file.stem.split("_")[0], Track(file, 1), Track(file, 0), dry=True)
        for file in files
        if file.stem.count("_") == 2 and (singers is None or file.stem.split("_")[0] in singers)
    ]
    return _some(pairs, folder, "clips named singer_song_clip")


def instrumentals(folder: Path, seconds: float = math.inf, without: Sequence[str] = ()) -> list[Track]:
    """Every audio file below a folder, as music without a voice, ``seconds`` of each at most.

    Files in the subfolders (one for each collection of music) named by ``without`` are left out.
    """
    tracks = [
        Track(file, seconds=seconds)
        for file in sorted(_folder(folder).rglob("*"))
        if file.suffix in SUFFIXES and file.relative_to(folder).parts[0] not in without
    ]
    return _some(tracks, folder, "audio files")


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; give the folder that holds the data sets with --data")
    return folder


def _some(found: list[Found], folder: Path, what: str) -> list[Found]:
    if not found:
        raise FileNotFoundError(f"no {what} in {folder}")
    return found


class Decoder:
    """Decodes each file once, to samples that are then read from disk by the page.

    A random three seconds of a compressed file cost far more to decode than all that is done with them later.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.maps: dict[tuple[Path, float], tuple[Audio, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, track: Track) -> tuple[Audio, int]:
        """Samples (frames, channels) of a track's file, or of its middle, as a memory map, and the sample
        rate in Hz.
        """
        key = track.path, track.seconds
        if key not in self.maps:
            self.maps[key] = self._open(*key)
        return self.maps[key]

    def _open(self, path: Path, seconds: float) -> tuple[Audio, int]:
        part = "" if math.isinf(seconds) else f"-{seconds:g}"
        name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24] + part
        for cached in self.folder.glob(f"{name}.*.float32.npy"):
            return np.load(cached, mmap_mode="r"), int(cached.name.split(".")[-3])
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if len(samples) > seconds * rate:
            length = int(seconds * rate)
            start = (len(samples) - length) // 2
            samples = samples[start : start + length]
        cached = self.folder / f"{name}.{rate}.float32.npy"
        partial = self.folder / f"{name}.{os.getpid()}.partial"
        with partial.open("wb") as file:
            np.save(file, samples)
        partial.rename(cached)
        return np.load(cached, mmap_mode="r"), rate

    def excerpt(self, track: Track, start: int, length: int) -> Audio:
        """``length`` samples from ``start`` on, (channels, length), silence where the recording has none."""
        samples, _ = self.open(track)
        audio = np.zeros((1 if track.channel is not None else samples.shape[1], length), np.float32)
        low, high = max(start, 0), min(start + length, len(samples))
        if low < high:
            part = samples[low:high] if track.channel is None else samples[low:high, track.channel, None]
            audio[:, low - start : high - start] = part.T
        return audio
