"""WAV, RF64, BW64, Wave64, AIFF and CAF whose headers say something else than what is there."""

from __future__ import annotations

import io

import numpy as np
import pytest
from specimens import ID3, ID3V1, RATE, decoded, encoded, mp3, noise, with_bytes

from pyvocsep.files.decoder import Decoder
from pyvocsep.files.recognise import structure_of
from pyvocsep.files.source import Source
from pyvocsep.files.splice import SplicedFile
from pyvocsep.files.structure import UnreadableError

FRAMES = 2 * RATE
AUDIO = noise(FRAMES)
SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE"]
WHOLE = {subtype: decoded(encoded(AUDIO, "WAV", subtype)) for subtype in SUBTYPES}
PLACEHOLDERS = [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36, 0x7FFFF000, 0x80000000 - 1]


def decode(data: bytes) -> tuple[np.ndarray, list[str]]:
    decoder = Decoder(io.BytesIO(data), "song.wav")
    blocks = list(decoder.blocks(10_000))
    return np.concatenate([np.zeros((decoder.channels, 0), np.float32), *blocks], axis=1), decoder.faults


def size_position(data: bytes, name: bytes, width: int = 4) -> int:
    return data.index(name) + width


@pytest.mark.parametrize("riff_size", [None, 0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("size", PLACEHOLDERS)
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_wav_that_was_never_finished_is_read_to_its_end(subtype, size, riff_size) -> None:
    data = encoded(AUDIO, "WAV", subtype)
    data = with_bytes(data, size_position(data, b"data"), size.to_bytes(4, "little"))
    if riff_size is not None:
        data = with_bytes(data, 4, riff_size.to_bytes(4, "little"))
    audio, faults = decode(data)
    assert faults == []
    np.testing.assert_array_equal(audio[:, :FRAMES], WHOLE[subtype])
    assert audio.shape[1] <= FRAMES + 10  # the chunk of the peaks that libsndfile puts behind


@pytest.mark.parametrize("lost", [1, 2, 3, 5, 1000])
def test_an_unfinished_wav_that_ends_within_a_sample(lost) -> None:
    data = encoded(AUDIO, "WAV", "PCM_16")
    data = with_bytes(data, size_position(data, b"data"), bytes(4))[:-lost]
    audio, faults = decode(data)
    assert faults == []
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"][:, : FRAMES + -lost // 4])


def test_a_wav_with_no_samples_has_none() -> None:
    empty = encoded(AUDIO[:, :0], "WAV", "PCM_16")
    for data in (empty, empty + b"LIST\x04\0\0\0INFO"):
        audio, faults = decode(data)
        assert (audio.shape[1], faults) == (0, [])


@pytest.mark.parametrize("before", [ID3, ID3 + ID3])
@pytest.mark.parametrize("format", ["WAV", "AIFF", "W64", "RF64", "CAF"])
def test_a_tag_in_front(format, before) -> None:
    data = encoded(AUDIO, format, "PCM_16")
    audio, faults = decode(before + data + ID3V1)
    assert faults == []
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"])


@pytest.mark.parametrize("format", ["WAV", "AIFF", "W64", "RF64", "CAF"])
@pytest.mark.parametrize("kept", [0.95, 0.5, 0.1])
def test_a_cut_file_gives_what_is_there(format, kept) -> None:
    data = encoded(AUDIO, format, "PCM_16")
    audio, faults = decode(data[: int(len(data) * kept)])
    assert len(faults) == 1
    assert faults[0].startswith("cut short: only ")
    if format != "CAF":
        assert faults[0] == f"cut short: only {audio.shape[1] / RATE:.2f} s of 2.00 s are there"
    assert audio.shape[1] > (kept - 0.02) * FRAMES
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"][:, : audio.shape[1]])


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_odd_sizes_are_padded(width) -> None:
    audio = noise(1001, 1)
    subtype = {1: "PCM_U8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}[width]
    data = encoded(audio, "WAV", subtype)
    padded = data + b"\0" * (len(data) % 2) + b"LIST\x0c\0\0\0INFOICMT\0\0\0\0"
    for joined, times in ((data, 1), (padded, 1), (padded + data, 2), (data + ID3 + padded, 2)):
        found, faults = decode(joined)
        assert faults == []
        np.testing.assert_array_equal(found, np.tile(decoded(data), times))


@pytest.mark.parametrize("between", [b"", ID3, ID3V1])
def test_joined_wavs_come_one_after_the_other(between) -> None:
    first, second = encoded(AUDIO, "WAV", "PCM_16"), encoded(noise(RATE, 1), "WAV", "FLOAT")
    audio, faults = decode(first + between + second)
    assert faults == []
    np.testing.assert_array_equal(audio[:, :FRAMES], WHOLE["PCM_16"])
    np.testing.assert_array_equal(audio[:, FRAMES:], np.repeat(decoded(second), 2, axis=0))


def test_joined_streams_without_sizes() -> None:
    data = encoded(AUDIO, "WAV", "PCM_16")
    data = with_bytes(data, size_position(data, b"data"), b"\xff" * 4)
    audio, faults = decode(data * 3)
    assert faults == []
    np.testing.assert_array_equal(audio, np.tile(WHOLE["PCM_16"], 3))


def test_samples_that_the_header_never_counted() -> None:
    """A recorder that was killed after it had corrected its header once."""
    data = encoded(AUDIO, "WAV", "PCM_16")
    data = with_bytes(data, size_position(data, b"data"), (4 * RATE).to_bytes(4, "little"))
    audio, faults = decode(data)
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"])
    assert faults == ["its header counts 1.00 s of samples, but 2.00 s follow; all of them were taken"]


@pytest.mark.parametrize(
    "after", [bytes(10_000), b"LIST\x04\0\0\0INFO" + bytes(9999), ID3V1, b"\1\2\3" * 1000]
)
def test_what_follows_the_samples_is_none(after) -> None:
    audio, faults = decode(encoded(AUDIO, "WAV", "PCM_16") + after)
    assert faults == []
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"])


class Sparse:
    """A file of a few bytes and terabytes of zeros."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self._size, self._position = head, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= 1 << 20, "parsers read in pieces"
        size = max(0, min(size, self._size - self._position))
        data = self._head[self._position : self._position + size].ljust(size, b"\0")
        self._position += size
        return data


@pytest.mark.parametrize("counted", [2**31 + 4096, 1000, 4])
def test_a_size_that_overflowed(counted) -> None:
    head = encoded(AUDIO[:, :1], "WAV", "PCM_16")[:-4]
    head = with_bytes(head, len(head) - 4, counted.to_bytes(4, "little"))
    true = 5 * 2**32 + counted
    decoder = Decoder(Sparse(head, len(head) + true), "long.wav")
    assert (decoder.frames, decoder.format, decoder.faults) == (true // 4, "RF64", [])
    assert next(decoder.blocks(1000)).shape == (2, 1000)


@pytest.mark.parametrize("format", ["RF64", "W64"])
def test_sizes_over_4_gb(format) -> None:
    data = encoded(AUDIO[:, :0], format, "PCM_16")
    for size in (5 * 2**32, 2**32, 100):
        if format == "RF64":
            head = with_bytes(data, data.index(b"ds64") + 16, size.to_bytes(8, "little"))
            head = with_bytes(head, head.index(b"data") + 4, b"\xff" * 4)[: head.index(b"data") + 8]
        else:
            position = data.index(b"data\xf3\xac") + 16
            head = with_bytes(data, position, (size + 24).to_bytes(8, "little"))[: position + 8]
        decoder = Decoder(Sparse(head, len(head) + size), "long")
        assert (decoder.frames, decoder.faults) == (size // 4, [])
        decoder = Decoder(Sparse(head, len(head) + size // 2), "cut")
        assert decoder.frames == size // 8
        assert decoder.faults[0].startswith("cut short: only ")


@pytest.mark.parametrize("size", [0, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("format", ["RF64", "W64", "CAF"])
def test_64_bit_sizes_that_were_never_filled_in(format, size) -> None:
    data = encoded(AUDIO, format, "PCM_16")
    if format == "RF64":
        data = with_bytes(data, data.index(b"data") + 4, b"\xff" * 4)
        data = with_bytes(data, data.index(b"ds64") + 8, size.to_bytes(8, "little") * 2)
    elif format == "W64":
        data = with_bytes(data, data.index(b"data\xf3\xac") + 16, size.to_bytes(8, "little"))
    else:
        data = with_bytes(data, data.index(b"data") + 4, size.to_bytes(8, "big"))
    audio, faults = decode(data)
    assert faults == []
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"])


def test_bw64() -> None:
    data = encoded(AUDIO, "RF64", "PCM_16")
    audio, faults = decode(b"BW64" + data[4:])
    assert faults == []
    np.testing.assert_array_equal(audio, WHOLE["PCM_16"])


@pytest.mark.parametrize("after", [b"", b"junk" * 5, bytes(3)])
def test_chunks_after_the_samples_belong_to_the_file(after) -> None:
    text = b"INFOINAM\x06\0\0\0Title\0"
    data = encoded(AUDIO, "WAV", "PCM_16") + b"LIST" + len(text).to_bytes(4, "little") + text
    data = with_bytes(data, 4, (len(data) - 8).to_bytes(4, "little"))
    decoder = Decoder(io.BytesIO(data + after), "song.wav")
    assert decoder.tags["title"] == "Title"
    assert decoder.faults == []
    np.testing.assert_array_equal(np.concatenate(list(decoder.blocks(RATE)), axis=1), WHOLE["PCM_16"])


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_an_aiff_that_was_never_finished_is_read_to_its_end(size) -> None:
    data = encoded(AUDIO, "AIFF", "PCM_16")
    data = with_bytes(data, data.index(b"SSND") + 4, size.to_bytes(4, "big"))
    for form, count in ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (len(data) - 8, FRAMES)):
        broken = with_bytes(data, 4, form.to_bytes(4, "big"))
        broken = with_bytes(broken, data.index(b"COMM") + 10, count.to_bytes(4, "big"))
        audio, faults = decode(broken)
        assert faults == []
        np.testing.assert_array_equal(audio, WHOLE["PCM_16"])


@pytest.mark.parametrize("exponent", [0, 0x3F00, 0x4400, 0x7FFF, 0xFFFF])
def test_how_much_of_an_aiff_of_an_impossible_rate_is_there_is_told_in_bytes(exponent) -> None:
    whole = encoded(AUDIO, "AIFF", "PCM_16")
    damaged = with_bytes(whole, whole.index(b"COMM") + 16, exponent.to_bytes(2, "big"))
    (possible,), (impossible,) = (
        structure_of(Source(io.BytesIO(data[:-1000])), "song.aiff").faults for data in (whole, damaged)
    )
    assert possible.endswith(" s are there")
    assert impossible.endswith("bytes of samples are there")
    assert len(impossible) < 100


def wav_of(codec: int, body: bytes) -> bytes:
    fmt = codec.to_bytes(2, "little") + b"\2\0" + RATE.to_bytes(4, "little") + (16_000).to_bytes(4, "little")
    fmt += b"\1\0\0\0\x0c\0\1\0\2\0\0\0\xa2\1\1\0\x71\5"
    chunks = (
        b"WAVEfmt " + len(fmt).to_bytes(4, "little") + fmt + b"data" + len(body).to_bytes(4, "little") + body
    )
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


@pytest.mark.parametrize("before", [b"", ID3])
def test_mp3_in_wav(before) -> None:
    for inner in (mp3(), mp3(tag=False), mp3(tag=False) + mp3(), ID3 + mp3()):
        audio, faults = decode(before + wav_of(0x55, inner))
        expected = Decoder(io.BytesIO(inner), "a.mp3")
        assert faults == []
        np.testing.assert_array_equal(audio, np.concatenate(list(expected.blocks(10_000)), axis=1))


def test_mp3_in_wav_that_is_cut() -> None:
    audio, faults = decode(wav_of(0x55, mp3())[:-10_000])
    assert 4 * RATE < audio.shape[1] < 6 * RATE
    assert faults[0].startswith("cut short")


@pytest.mark.parametrize(
    ("codec", "name"), [(0xFF, "AAC"), (0x161, "Windows Media Audio"), (0x2000, "Dolby AC-3")]
)
def test_what_else_a_wav_holds_is_named(codec, name) -> None:
    with pytest.raises(UnreadableError, match=f"WAV file of {name}"):
        decode(wav_of(codec, bytes(1000)))


@pytest.mark.parametrize("format", ["WAV", "AIFF", "W64", "RF64", "CAF"])
def test_a_file_that_ends_in_its_header(format) -> None:
    data = encoded(AUDIO, format, "PCM_16")
    for kept in range(4, 60, 3):
        try:
            audio, _ = decode(data[:kept])
        except UnreadableError:
            continue
        assert audio.shape[1] <= 4


def test_a_right_file_is_handed_on_as_it_is() -> None:
    for format in ("WAV", "AIFF", "W64", "RF64", "CAF"):
        data = encoded(AUDIO, format, "PCM_16")
        source = Source(io.BytesIO(data))
        (part,) = structure_of(source, "a").parts
        assert SplicedFile(source, part.pieces).read(len(data)) == data
