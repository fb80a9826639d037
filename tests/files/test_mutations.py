"""Damaged files of every kind: sound or a clear error, never anything else, and never without end."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from specimens import (
    APE,
    ID3,
    ID3V1,
    LYRICS,
    RATE,
    encoded,
    free_format,
    mp3,
    mpeg_frames,
    noise,
    silent_layer_1,
)
from test_signatures import ADTS, NO_SOUND, SOUND, mp4

from pyvocsep.files.decoder import Decoder
from pyvocsep.files.recognise import structure_of
from pyvocsep.files.source import Source
from pyvocsep.files.splice import SplicedFile
from pyvocsep.files.structure import UnreadableError

EXAMPLES = int(os.environ.get("PYVOCSEP_MUTATIONS", "1500"))
"""How many damaged files to try, more by hand."""

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]

SHORT = noise(RATE // 4)

SPECIMENS = {
    "wav": encoded(SHORT, "WAV", "PCM_16"),
    "wav of floats": encoded(SHORT, "WAV", "FLOAT"),
    "rf64": encoded(SHORT, "RF64", "PCM_16"),
    "w64": encoded(SHORT, "W64", "PCM_24"),
    "aiff": encoded(SHORT, "AIFF", "PCM_16"),
    "aifc": encoded(SHORT, "AIFF", "FLOAT"),
    "caf": encoded(SHORT, "CAF", "PCM_16"),
    "au": encoded(SHORT, "AU", "PCM_16"),
    "flac": encoded(SHORT, "FLAC", "PCM_16"),
    "vorbis": encoded(SHORT, "OGG", "VORBIS"),
    "opus": encoded(SHORT, "OGG", "OPUS", 48_000),
    "mp3": mp3(RATE // 4),
    "mp3 without a tag": mp3(RATE // 4, tag=False),
    "layer 1": silent_layer_1(30),
    "free format": free_format(mpeg_frames(mp3(RATE // 4, tag=False, variable=False))),
    "adts": ADTS,
    "mp4": mp4(b"M4A ", b"mp4a"),
}
TAGS = [b"", ID3, ID3V1, APE, LYRICS]
NUMBERS = [
    value.to_bytes(size, order)
    for value in (0, 1, 0x7F, 0x80, 2**31 - 1, 2**31, 2**32 - 1)
    for size in (4, 8)
    for order in ("little", "big")
]
NUMBERS += [b"\xff" * 8, b"\x7f" + b"\xff" * 7]


@st.composite
def damaged(draw: st.DrawFn, specimens: dict[str, bytes]) -> bytes:
    """A file, maybe joined to another, with tags, after a few mishaps."""
    names = st.sampled_from(sorted(specimens))
    tags = st.sampled_from(TAGS)
    data = bytearray(draw(tags) + specimens[draw(names)])
    if draw(st.booleans()):
        data += draw(tags) + specimens[draw(names)]
    for _ in range(draw(st.integers(1, 6))):
        # Headers are where sizes stand: half of the mishaps strike there.
        position = min(draw(st.one_of(st.integers(0, 200), st.integers(0, len(data)))), len(data))
        length = draw(st.integers(0, 300))
        match draw(st.integers(0, 4)):
            case 0:
                new = draw(st.one_of(st.sampled_from(NUMBERS), st.binary(max_size=8)))
                data[position : position + len(new)] = new
            case 1:
                del data[position : position + length]
            case 2:
                data[position:position] = draw(st.sampled_from(NUMBERS)) * (length // 8)
            case 3:
                del data[position:]
            case 4:
                if position < len(data):
                    data[position] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


class Counted(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.total = 0
        self.largest = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.total += len(data)
        self.largest = max(self.largest, len(data))
        return data


@settings(max_examples=EXAMPLES, suppress_health_check=SLOW_TO_DRAW)
@given(damaged(SPECIMENS | {name: data[:2000] for name, data in (SOUND | NO_SOUND).items()}))
def test_structures_of_damaged_files(data) -> None:
    file = Counted(data)
    source = Source(file)
    try:
        structure = structure_of(source, "damaged")
    except UnreadableError:
        return
    assert structure.parts
    assert all(0 < len(fault) < 200 for fault in structure.faults)
    for part in structure.parts:
        spliced = SplicedFile(source, part.pieces)
        assert spliced.size <= 4 * len(data) + 100_000
        assert part.frames is None or 0 < part.frames <= 400 * len(data)
    # A search starts again where the last one ended; a window is read anew for each far jump.
    assert file.total <= 40 * len(data) + 100 * 65_536


@pytest.mark.slow
@settings(max_examples=EXAMPLES // 4, suppress_health_check=SLOW_TO_DRAW)
@given(damaged(SPECIMENS))
def test_decoding_damaged_files(data) -> None:
    try:
        decoder = Decoder(io.BytesIO(data), "damaged")
        done = 0
        for block in decoder.blocks(4096):
            assert block.dtype == np.float32
            assert block.shape[0] == decoder.channels
            assert 0 < block.shape[1] <= 4096
            done += block.shape[1]
            if done > 20_000_000:
                break  # a size that a decoder believes of silence, as DPCM in a header of 4 GB
        assert done <= decoder.frames
        assert done == decoder.frames or decoder.faults or done > 20_000_000
    except UnreadableError:
        pass
