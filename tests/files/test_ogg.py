"""Ogg files: joined, cut between pages, with pages lost, with other streams beside the audio."""

from __future__ import annotations

import io

import numpy as np
import pytest
from specimens import RATE, decoded, encoded, noise, ogg_pages, with_bytes

from pyvocsep.files.decoder import Decoder
from pyvocsep.files.structure import UnreadableError

SUBTYPES = ["VORBIS", "OPUS"]
NOT_ENDED = "cut short: its last page does not say that the stream ends there"


def ogg(subtype: str, seconds: float = 4) -> bytes:
    rate = 48_000 if subtype == "OPUS" else RATE
    return encoded(noise(int(seconds * rate)), "OGG", subtype, rate)


def decode(data: bytes) -> tuple[np.ndarray, list[str]]:
    decoder = Decoder(io.BytesIO(data), "song.ogg")
    return np.concatenate(list(decoder.blocks(10_000)), axis=1), decoder.faults


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_what_is_whole_is_decoded_as_it_is(subtype) -> None:
    data = ogg(subtype)
    audio, faults = decode(data)
    assert faults == []
    np.testing.assert_array_equal(audio, decoded(data))


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_joined_files_come_one_after_the_other(subtype) -> None:
    files = [ogg(subtype, seconds) for seconds in (2, 0.1, 4)]
    audio, faults = decode(b"".join(files))
    assert faults == []
    np.testing.assert_array_equal(audio, np.concatenate([decoded(data) for data in files], axis=1))


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_joined_files_with_the_same_serial_number(subtype) -> None:
    data = ogg(subtype)
    audio, faults = decode(data + data)
    assert faults == []
    np.testing.assert_array_equal(audio, np.tile(decoded(data), 2))


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_file_cut_between_pages_says_so(subtype) -> None:
    pages = ogg_pages(ogg(subtype))
    for kept in range(4, len(pages)):
        audio, faults = decode(b"".join(pages[:kept]))
        assert faults == [NOT_ENDED]
        assert 0 < audio.shape[1] < 4 * 48_000


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_file_cut_in_a_page_says_so(subtype) -> None:
    data = ogg(subtype)
    for lost in (1, 10, len(ogg_pages(data)[-1]) - 27):
        audio, faults = decode(data[:-lost])
        assert faults == ["cut short: it ends in the middle of a page"]
        assert 0 < audio.shape[1] < 4 * 48_000


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_lost_page_is_told(subtype) -> None:
    pages = ogg_pages(ogg(subtype))
    _, faults = decode(b"".join(pages[:4] + pages[5:]))
    assert faults[0] == "damaged: 1 pages are missing"


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_damaged_page_is_told(subtype) -> None:
    data = ogg(subtype)
    pages = ogg_pages(data)
    position = sum(map(len, pages[:4])) + len(pages[4]) // 2
    audio, faults = decode(with_bytes(data, position, b"damage"))
    assert audio.shape[1] < decoded(data).shape[1]
    assert len(faults) == 1
    assert faults[0].startswith("cut short or damaged: only ")


def test_a_joined_file_that_was_cut_is_told() -> None:
    first, second = ogg("VORBIS"), ogg("VORBIS", 2)
    cut = b"".join(ogg_pages(first)[:-1])
    audio, faults = decode(cut + second)
    assert faults == ["1 of its 2 joined streams are cut short"]
    np.testing.assert_array_equal(audio[:, -2 * RATE :], decoded(second))


def test_junk_between_pages_is_skipped() -> None:
    pages = ogg_pages(ogg("VORBIS"))
    audio, faults = decode(b"".join([*pages[:4], b"OggS junk" * 500, *pages[4:]]))
    assert faults == []
    np.testing.assert_array_equal(audio, decoded(b"".join(pages)))


def crc(page: bytes) -> bytes:
    """The page with its check sum (RFC 3533, section 6): polynomial 0x04c11db7, not reflected."""
    page = with_bytes(page, 22, bytes(4))
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return with_bytes(page, 22, value.to_bytes(4, "little"))


def page(body: bytes, flags: int, serial: int, sequence: int) -> bytes:
    segments = bytes([255] * (len(body) // 255) + [len(body) % 255])
    head = (
        b"OggS\0" + bytes([flags]) + bytes(8) + serial.to_bytes(4, "little") + sequence.to_bytes(4, "little")
    )
    return crc(head + bytes(4) + bytes([len(segments)]) + segments + body)


def test_a_stream_beside_the_audio_is_left_out() -> None:
    """As in a video file, or one with a skeleton."""
    data = ogg("VORBIS")
    first, *rest = ogg_pages(data)
    begin, middle = page(b"fishead\0 and more", 2, 7, 0), page(b"index", 0, 7, 1)
    for mixed in (
        [begin, first, *rest[:2], middle, *rest[2:], page(b"", 4, 7, 2)],
        [first, begin, middle, *rest],
    ):
        audio, faults = decode(b"".join(mixed))
        assert faults == []
        np.testing.assert_array_equal(audio, decoded(data))


def ogg_flac(native: bytes) -> bytes:
    """FLAC in Ogg (RFC 9639, section 10.1), a page per frame."""
    metadata_end = native.index(b"\xff\xf8", 42)
    packets = [b"\x7fFLAC\1\0\0\1" + native[:42], native[42:metadata_end]]
    starts = [
        position
        for position in range(metadata_end, len(native))
        if native[position : position + 2] == b"\xff\xf8"
    ]
    frames = b"".join(native[a:b] for a, b in zip(starts, [*starts[1:], len(native)], strict=True))
    packets += [frames[start : start + 50_000] for start in range(0, len(frames), 50_000)]
    return b"".join(
        page(packet, 2 * (number == 0) + 4 * (number == len(packets) - 1), 9, number)
        for number, packet in enumerate(packets)
    )


def test_flac_in_ogg() -> None:
    native = encoded(noise(3 * RATE), "FLAC", "PCM_16")
    audio, faults = decode(ogg_flac(native))
    assert faults == []
    np.testing.assert_array_equal(audio, decoded(native))


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"Speex   1.2", "Speex"), (b"\x80theora", "Theora video"), (b"what is this", "an unknown kind")],
)
def test_what_an_ogg_file_holds_is_named(body, reason) -> None:
    with pytest.raises(UnreadableError, match=reason):
        Decoder(io.BytesIO(page(body, 2, 1, 0) + page(b"data" * 100, 4, 1, 1)), "a.ogg")


def test_an_ogg_file_without_its_beginning() -> None:
    with pytest.raises(UnreadableError, match="without its beginning"):
        Decoder(io.BytesIO(b"".join(ogg_pages(ogg("VORBIS"))[1:])), "a.ogg")
