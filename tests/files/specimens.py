"""Audio files for the tests, made by libsndfile and then taken apart."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import soundfile
from numpy.typing import NDArray

from pyvocsep.files.mpeg_header import frame_header

RATE = 44_100
ID3 = b"ID3\x04\0\0\0\0\0\x1eTIT2\0\0\0\x14\0\0\0" + b"not \xff\xfb\x90\x44 the name.."
ID3V1 = b"TAG" + bytes(125)
APE = (
    b"APETAGEX"
    + (2000).to_bytes(4, "little")
    + (40).to_bytes(4, "little")
    + bytes(4)
    + b"\0\0\0\xa0"
    + bytes(8)
)
APE += bytes(8) + b"APETAGEX" + (2000).to_bytes(4, "little") + (40).to_bytes(4, "little") + bytes(16)
LYRICS = b"LYRICSBEGININD00002" + b"la la \xff\xfb\x90\x44" + b"000029LYRICS200"


def noise(frames: int, channels: int = 2, *, fading: bool = False) -> NDArray[np.float32]:
    """(channels, frames) of noise; `fading`, so that a variable bit rate falls."""
    audio = np.random.default_rng(frames).uniform(-0.3, 0.3, (channels, frames)).astype(np.float32)
    return audio * np.linspace(1, 0, frames, dtype=np.float32) ** 6 if fading else audio


def encoded(
    audio: NDArray[np.float32], format: str, subtype: str | None = None, rate: int = RATE, **mode: object
) -> bytes:
    """A file of (channels, samples) as libsndfile writes it."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, len(audio), subtype, format=format, **mode) as sound:
        sound.write(audio.T)
    return file.getvalue()


def decoded(data: bytes) -> NDArray[np.float32]:
    """What libsndfile decodes of a file, (channels, samples)."""
    samples: NDArray[np.float32] = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].T
    return samples


@cache
def mp3(
    frames: int = 6 * RATE, channels: int = 2, rate: int = RATE, *, variable: bool = True, tag: bool = True
) -> bytes:
    """An MP3 file of fading noise; without its `tag`, the first frame, which tells its length."""
    mode = {"bitrate_mode": "VARIABLE" if variable else "CONSTANT", "compression_level": 0.5}
    data = encoded(noise(frames, channels, fading=True), "MP3", rate=rate, **mode)
    return data if tag else b"".join(mpeg_frames(data)[1:])


def mpeg_frames(data: bytes) -> list[bytes]:
    """The frames of a clean stream."""
    frames = []
    while len(data) >= 4 and (header := frame_header(data[:4])) is not None and 0 < header.size <= len(data):
        frames.append(data[: header.size])
        data = data[header.size :]
    return frames


def free_format(frames: Sequence[bytes]) -> bytes:
    """The frames of a constant bit rate with headers that do not tell it."""
    return b"".join(frame[:2] + bytes([frame[2] & 0x0F]) + frame[3:] for frame in frames)


def silent_layer_1(count: int) -> bytes:
    """Frames of Layer I, 32 kb/s, 32 kHz mono: no bits for any band."""
    return (b"\xff\xff\x18\xc0" + bytes(44)) * count


def ogg_pages(data: bytes) -> list[bytes]:
    """The pages of an Ogg file."""
    starts = [0]
    while starts[-1] < len(data):
        start = starts[-1]
        count = data[start + 26]
        starts.append(start + 27 + count + sum(data[start + 27 : start + 27 + count]))
    return [data[start:end] for start, end in pairwise(starts)]


def with_bytes(data: bytes, position: int, new: bytes) -> bytes:
    """The data with others at a position."""
    return data[:position] + new + data[position + len(new) :]
