"""Files to take home, made in memory: the samples that `pyvocsep.process` writes, to the bit."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pyvocsep.files.quality import encoder_options

_BLOCK = 16_384
"""Frames per write: some encoders put what they are given on the stack, which is small in threads."""


@dataclass(frozen=True)
class FileType:
    """A format that the page offers.

    Attributes:
        about: for people.
        suffix: of the file, which is also `process`'s `format`.
        subtype: libsndfile's name for the samples, which is `process`'s `subtype`.
        mime: for the browser.
    """

    about: str
    suffix: str
    subtype: str
    mime: str


FILE_TYPES = {
    "WAV": FileType("32-bit float, exact.", "wav", "FLOAT", "audio/wav"),
    "FLAC": FileType("24 bits, a third of the size.", "flac", "PCM_24", "audio/flac"),
    "MP3": FileType("Small, for listening.", "mp3", "MPEG_LAYER_III", "audio/mpeg"),
}

_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def offered(sample_rate: float) -> list[str]:
    """Return the names of the file types that can hold this rate: MP3 knows nine."""
    return [name for name in FILE_TYPES if name != "MP3" or sample_rate in _MP3_RATES]


def file_name(song: str, part: str, file_type: FileType) -> str:
    """Return a download's name, by the pattern of the `pyvocsep` command: song.vocals.wav."""
    return f"{song}.{part}.{file_type.suffix}"


def encoded(samples: NDArray[np.float32], sample_rate: float, file_type: FileType) -> bytes:
    """Return a file of samples (channels, samples)."""
    memory = io.BytesIO()
    rate, channels = int(sample_rate), samples.shape[0]
    options = encoder_options(file_type.subtype, None, None, rate, channels)
    container = file_type.suffix.upper()
    with soundfile.SoundFile(
        memory, "w", rate, channels, file_type.subtype, format=container, **options
    ) as file:
        for start in range(0, samples.shape[1], _BLOCK):
            file.write(samples[:, start : start + _BLOCK].T)
    return memory.getvalue()


def clipping(peak: float, name: str) -> str:
    """Return a sentence if a song of this peak exceeds what the file type holds, else nothing."""
    return (
        "" if peak <= 1 or name == "WAV" else f"A stem's peak is {peak:.2f}: {name} clips at 1, WAV keeps it."
    )
