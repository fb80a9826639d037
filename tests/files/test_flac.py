"""FLAC files: joined, cut, damaged, of unknown length."""

from __future__ import annotations

import io

import numpy as np
import pytest
from specimens import ID3, ID3V1, RATE, decoded, encoded, noise, with_bytes

from pyvocsep.files.decoder import Decoder
from pyvocsep.files.flac_frames import flac_frames
from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent
from pyvocsep.files.structure import Part

AUDIO = noise(3 * RATE)
FLAC = encoded(AUDIO, "FLAC", "PCM_16")
WHOLE = decoded(FLAC)
BLOCK = 4096


def decode(data: bytes, length: int = 10_000) -> tuple[np.ndarray, list[str]]:
    decoder = Decoder(io.BytesIO(data), "song.flac")
    return np.concatenate(list(decoder.blocks(length)), axis=1), decoder.faults


def without_length(data: bytes) -> bytes:
    """With the 36 bits of STREAMINFO that count the samples at 0, which means unknown (RFC 9639, 8.2)."""
    return with_bytes(data, 21, bytes([data[21] & 0xF0, 0, 0, 0, 0]))


def frames(data: bytes) -> list[int]:
    source = Source(io.BytesIO(data))
    return [frame.start for frame in flac_frames(Part((Extent(0, len(data)),)), source)]


@pytest.mark.parametrize("before", [b"", ID3])
@pytest.mark.parametrize("after", [b"", ID3V1, bytes(100)])
def test_what_is_whole_is_decoded_as_it_is(before, after) -> None:
    for data in (FLAC, without_length(FLAC)):
        audio, faults = decode(before + data + after)
        assert faults == []
        np.testing.assert_array_equal(audio, WHOLE)


@pytest.mark.parametrize("between", [b"", ID3, ID3V1])
def test_joined_files_come_one_after_the_other(between) -> None:
    other = encoded(noise(RATE, 1), "FLAC", "PCM_24")
    for first in (FLAC, without_length(FLAC)):
        audio, faults = decode(first + between + other + between + first)
        assert faults == []
        np.testing.assert_array_equal(audio[:, : 3 * RATE], WHOLE)
        np.testing.assert_array_equal(audio[:, 3 * RATE : 4 * RATE], np.repeat(decoded(other), 2, axis=0))
        np.testing.assert_array_equal(audio[:, 4 * RATE :], WHOLE)


def test_a_file_inside_the_metadata_is_no_joined_file() -> None:
    block = b"\x02" + (4 + len(FLAC)).to_bytes(3, "big") + b"test" + FLAC
    audio, faults = decode(FLAC[:42].replace(b"fLaC\x80", b"fLaC\0") + block + FLAC[42:])
    assert faults == []
    np.testing.assert_array_equal(audio, WHOLE)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_a_cut_file_gives_what_is_there(kept) -> None:
    data = FLAC[: int(len(FLAC) * kept)]
    audio, faults = decode(data)
    assert len(faults) == 1
    assert faults[0].startswith("cut short or damaged: only ")
    assert audio.shape[1] > (kept - 0.05) * WHOLE.shape[1]
    np.testing.assert_array_equal(audio, WHOLE[:, : audio.shape[1]])


@pytest.mark.parametrize("length", [100, 10_000, RATE])
@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        ([0], ["damaged at 0.00 s: 0.09 s became silence"]),
        ([7], ["damaged at 0.65 s: 0.09 s became silence"]),
        (
            [3, 4, 20],
            ["damaged at 0.28 s: 0.19 s became silence", "damaged at 1.86 s: 0.09 s became silence"],
        ),
        ([31], ["damaged at 2.88 s: 0.09 s became silence"]),
    ],
)
def test_a_damaged_frame_becomes_silence(damaged, told, length) -> None:
    data = FLAC
    for frame in damaged:
        data = with_bytes(data, frames(FLAC)[frame] + 100, bytes(20))
    audio, faults = decode(data, length)
    assert faults == told
    expected = WHOLE.copy()
    for frame in damaged:
        expected[:, frame * BLOCK : (frame + 1) * BLOCK] = 0
    np.testing.assert_array_equal(audio, expected[:, : audio.shape[1]])
    assert audio.shape[1] >= WHOLE.shape[1] - (BLOCK if 31 in damaged or 32 in damaged else 0)


def test_frames_are_found_and_nothing_else() -> None:
    found = list(flac_frames(Part((Extent(0, len(FLAC)),)), Source(io.BytesIO(FLAC))))
    assert [frame.first for frame in found] == list(range(0, 3 * RATE, BLOCK))
    assert sum(frame.length for frame in found) == 3 * RATE
