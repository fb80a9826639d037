"""Every header of MPEG audio that there can be, beside what mpg123 (in libsndfile) makes of it."""

from __future__ import annotations

import io
import itertools

import pytest
import soundfile

from pyvocsep.files.mpeg_header import frame_header

VERSIONS = {25: 0, 2: 2, 1: 3}
RESERVED = [(1, 3, 0), (3, 0, 0), (3, 3, 15), (3, 1, 15)]  # the header's codes of version, layer, bit rate


def header_of(version: int, layer: int, bit_rate: int, rate: int, padding: int, mode: int) -> bytes:
    return bytes(
        [
            0xFF,
            0xE1 | VERSIONS[version] << 3 | (4 - layer) << 1,
            bit_rate << 4 | rate << 2 | padding << 1,
            mode << 6,
        ]
    )


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("version", VERSIONS)
def test_frames_follow_each_other_where_the_header_says(version: int, layer: int) -> None:
    for others in itertools.product(range(1, 15), range(3), (0, 1), (0, 3)):
        head = header_of(version, layer, *others)
        header = frame_header(head)
        assert header is not None
        assert (header.version, header.layer, header.channels) == (
            version,
            layer,
            1 if others[-1] == 3 else 2,
        )
        silent = (head + bytes(header.size - len(head))) * 6
        audio, rate = soundfile.read(io.BytesIO(silent), always_2d=True)
        assert (audio.shape, rate) == ((6 * header.samples, header.channels), header.rate)


def test_reserved_values_are_no_header() -> None:
    for version, layer, bit_rate in RESERVED:
        head = bytes([0xFF, 0xE1 | version << 3 | layer << 1, bit_rate << 4, 0])
        assert frame_header(head) is None
    assert frame_header(header_of(1, 3, 9, 3, 0, 0)) is None
    assert frame_header(header_of(1, 3, 9, 0, 0, 0)[:3]) is None
    assert frame_header(b"\xfe" + header_of(1, 3, 9, 0, 0, 0)[1:]) is None


def test_the_free_format_has_no_size() -> None:
    header = frame_header(header_of(1, 3, 0, 0, 0, 0))
    assert header is not None
    assert header.size == 0
