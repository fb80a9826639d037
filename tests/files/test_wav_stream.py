"""WAV from a pipe: block by block, whatever its header leaves open."""

from __future__ import annotations

import io

import numpy as np
import pytest
from specimens import RATE, decoded, encoded, noise, with_bytes

from pyvocsep.files.forward import ForwardFile
from pyvocsep.files.structure import UnreadableError
from pyvocsep.files.wav_stream import WavStream, is_wav_stream

FRAMES = 5000
AUDIO = noise(FRAMES)
FORMATS = ["WAV", "RF64", "W64"]
WAV = encoded(AUDIO, "WAV", "PCM_16")
WHOLE = decoded(WAV)
UNKNOWN = [0, 0xFFFFFFFF, 0x7FFFFFFF]


def streamed(data: bytes, length: int = 1000) -> tuple[WavStream, np.ndarray]:
    stream = WavStream(ForwardFile(io.BytesIO(data)))
    assert stream.can_stream
    return stream, np.concatenate([np.zeros((stream.channels, 0)), *stream.blocks(length)], axis=1)


@pytest.mark.parametrize("format", FORMATS)
def test_which_files_are_streamed(format: str) -> None:
    data = encoded(AUDIO, format, "PCM_16")
    assert is_wav_stream(data[:64])
    assert not is_wav_stream(b"X" + data[1:64])
    assert not is_wav_stream(b"RIFX" + WAV[4:64])
    assert not is_wav_stream(b"RIFF\0\0\0\0AVI " + bytes(50))


@pytest.mark.parametrize("length", [1, 999, 100_000])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("format", FORMATS)
def test_samples_come_as_from_a_file(format: str, subtype: str, length: int) -> None:
    data = encoded(AUDIO, format, subtype)
    stream, audio = streamed(data, length)
    np.testing.assert_array_equal(audio, decoded(data))
    assert (stream.sample_rate, stream.channels, stream.frames) == (RATE, len(AUDIO), FRAMES)
    assert stream.seconds == FRAMES / RATE
    assert (stream.format, stream.subtype, stream.faults) == ("WAV", subtype, [])


@pytest.mark.parametrize("size", UNKNOWN)
def test_a_size_that_is_left_open(size: int) -> None:
    data = with_bytes(WAV, WAV.index(b"data") + 4, size.to_bytes(4, "little"))
    stream, audio = streamed(data)
    np.testing.assert_array_equal(audio, WHOLE)
    assert (stream.frames, stream.seconds, stream.faults) == (None, float("inf"), [])


@pytest.mark.parametrize("size", [10, 4000, 5000, 100_000])
def test_samples_behind_a_long_header(size: int) -> None:
    junk = b"JUNK" + size.to_bytes(4, "little") + bytes(size)
    stream, audio = streamed(WAV[:12] + junk + WAV[12:])
    np.testing.assert_array_equal(audio, WHOLE)
    assert stream.faults == []


def test_what_a_cut_stream_lacks_is_told() -> None:
    stream, audio = streamed(WAV[: len(WAV) // 2])
    np.testing.assert_array_equal(audio, WHOLE[:, : audio.shape[1]])
    assert FRAMES // 2 - 20 < audio.shape[1] < FRAMES // 2
    (fault,) = stream.faults
    assert fault == f"cut short: only {audio.shape[1] / RATE:.2f} s of {FRAMES / RATE:.2f} s are there"


def test_what_follows_the_samples_is_taken_from_the_pipe() -> None:
    file = io.BytesIO(WAV + b"LIST\x04\0\0\0INFO" * 1000)
    list(WavStream(ForwardFile(file)).blocks(FRAMES))
    assert file.read() == b""


def test_a_codec_that_needs_the_whole_file_is_left_at_its_start() -> None:
    data = encoded(AUDIO, "WAV", "MS_ADPCM")
    file = ForwardFile(io.BytesIO(data))
    assert not WavStream(file).can_stream
    assert file.take(len(data)) == data


@pytest.mark.parametrize(
    "data", [WAV[:30], WAV[:12], WAV[:12] + WAV[36:], WAV[:12] + b"JUNK\x10\0\0\0" + bytes(16)]
)
def test_a_header_without_its_end(data: bytes) -> None:
    with pytest.raises(
        UnreadableError, match=r"^a WAV file that ends, or is damaged, before its samples begin$"
    ):
        WavStream(ForwardFile(io.BytesIO(data)))
