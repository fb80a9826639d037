"""Samples of the recordings of a data set, decoded once."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]

from pyvocsep.datasets.recordings import Track, reading
from pyvocsep.grid import Audio


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
        with reading(path):
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
