"""MPEG audio comes out whole, whatever stands around and between its frames."""

from __future__ import annotations

import io

import numpy as np
import pytest
from specimens import (
    APE,
    ID3,
    ID3V1,
    LYRICS,
    RATE,
    decoded,
    free_format,
    mp3,
    mpeg_frames,
    silent_layer_1,
    with_bytes,
)

from pyvocsep.files.decoder import Decoder
from pyvocsep.files.mpeg_header import frame_header
from pyvocsep.files.splice import Zeros

ONE_FRAME = 1152
DELAY = 576 + 529
"""Samples that the encoder and the decoder put in front, which only a tag tells."""


def decode(data: bytes) -> tuple[np.ndarray, list[str]]:
    decoder = Decoder(io.BytesIO(data), "song.mp3")
    blocks = [np.zeros((decoder.channels, 0), np.float32), *decoder.blocks(10_000)]
    audio = np.concatenate(blocks, axis=1)
    assert audio.shape[1] <= decoder.frames
    return audio, decoder.faults


def test_what_is_whole_is_decoded_as_it_is() -> None:
    for variable in (False, True):
        data = mp3(variable=variable)
        audio, faults = decode(data)
        np.testing.assert_array_equal(audio, decoded(data))
        assert (audio.shape, faults) == ((2, 6 * RATE), [])


@pytest.mark.parametrize("rate", [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_frame_of_a_stream_without_a_tag(rate, channels) -> None:
    tagged = mp3(3 * rate, channels, rate)
    data = b"".join(mpeg_frames(tagged)[1:])
    header = frame_header(data[:4])
    assert header is not None
    assert (header.rate, header.channels) == (rate, channels)
    audio, faults = decode(data)
    count = len(mpeg_frames(data))
    assert (audio.shape, faults) == ((channels, count * header.samples), [])
    whole = decoded(tagged)
    np.testing.assert_allclose(audio[:, DELAY:][:, : whole.shape[1]], whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "between", [b"", ID3V1, ID3, ID3V1 + ID3, APE, LYRICS + ID3V1, APE + ID3V1 + ID3 + ID3]
)
@pytest.mark.parametrize("tag", [True, False])
def test_joined_files_come_one_after_the_other(tag, between) -> None:
    first, second = mp3(tag=tag), mp3(4 * RATE, tag=tag, variable=False)
    audio, faults = decode(first + between + second)
    assert faults == []
    apart = np.concatenate([decode(first)[0], decode(second)[0]], axis=1)
    assert audio.shape == apart.shape
    if tag:
        np.testing.assert_array_equal(audio, apart)


def test_many_joined_files() -> None:
    data = mp3(RATE // 2)
    audio, faults = decode(data * 50)
    assert faults == []
    np.testing.assert_array_equal(audio, np.tile(decode(data)[0], 50))


def test_a_mono_part_of_a_stereo_file_is_heard_in_both_channels() -> None:
    audio, faults = decode(mp3(channels=1) + mp3())
    assert faults == []
    assert audio.shape == (2, 12 * RATE)
    np.testing.assert_array_equal(audio[0, : 6 * RATE], audio[1, : 6 * RATE])


def test_a_part_at_another_rate_is_named() -> None:
    audio, faults = decode(mp3(2 * 48_000, rate=48_000) + mp3())
    assert audio.shape == (2, 6 * RATE)
    assert faults == ["2.00 s of it have a rate of 48000 Hz, not 44100, and were left out"]


@pytest.mark.parametrize(
    "before", [b"", ID3, ID3 + ID3, bytes(3000), ID3 + bytes(1000), b"HTTP/1.0 200 OK\r\n\r\n"]
)
@pytest.mark.parametrize("after", [b"", ID3V1, APE + ID3V1, LYRICS + ID3V1, bytes(5000), b"\xff" * 5000])
@pytest.mark.parametrize("tag", [True, False])
def test_what_surrounds_the_frames_is_no_matter(tag, before, after) -> None:
    data = mp3(2 * RATE, tag=tag)
    audio, faults = decode(before + data + after)
    assert faults == []
    np.testing.assert_array_equal(audio, decode(data)[0])


def test_tags_are_read_from_either_end() -> None:
    data = mp3(RATE)
    v1 = b"TAG" + b"at the end".ljust(124, b"\0") + b"\xff"  # no genre
    assert "the name" in Decoder(io.BytesIO(ID3 + data), "a").tags["title"]
    assert Decoder(io.BytesIO(data + v1), "a").tags == {"title": "at the end"}
    assert Decoder(io.BytesIO(mp3(RATE, tag=False) + v1), "a").tags == {"title": "at the end"}


@pytest.mark.parametrize("tag", [True, False])
def test_a_lost_frame_costs_one_frame(tag) -> None:
    data = mp3(tag=tag, variable=False)
    frames = mpeg_frames(data)
    whole, _ = decode(data)
    audio, faults = decode(b"".join(frames[:50] + frames[51:]))
    assert audio.shape == (2, whole.shape[1] - ONE_FRAME)
    assert faults == (["cut short or damaged: only 6.01 s of 6.03 s are there"] if tag else [])
    np.testing.assert_array_equal(audio[:, : 40 * ONE_FRAME], whole[:, : 40 * ONE_FRAME])
    np.testing.assert_allclose(audio[:, 60 * ONE_FRAME :], whole[:, 61 * ONE_FRAME :], atol=1e-6)


@pytest.mark.parametrize("size", [1, 100, 1023, 5000, 100_000])
@pytest.mark.parametrize("tag", [True, False])
def test_bytes_that_are_no_audio_are_skipped_and_told(tag, size) -> None:
    data = mp3(tag=tag)
    frames = mpeg_frames(data)
    junk = np.random.default_rng(size).bytes(size)
    audio, faults = decode(b"".join([*frames[:50], junk, *frames[50:]]))
    where = f"{(49 if tag else 50) * ONE_FRAME / RATE:.2f} s"
    assert faults == [f"damaged at {where}: {size} bytes are no audio and were skipped"]
    np.testing.assert_array_equal(audio, decode(data)[0])


@pytest.mark.parametrize("lost", [1, 10, 100])
@pytest.mark.parametrize("tag", [True, False])
def test_missing_last_bytes_cost_the_last_frame(tag, lost) -> None:
    data = mp3(tag=tag)
    audio, faults = decode(data[:-lost])
    whole = decode(data)[0]
    assert whole.shape[1] - 2 * ONE_FRAME < audio.shape[1] < whole.shape[1]
    np.testing.assert_array_equal(audio, whole[:, : audio.shape[1]])
    assert len(faults) == 1
    assert faults[0].startswith("cut short")


def test_a_frame_that_lacks_its_end_does_not_take_the_next_file_with_it() -> None:
    first, second = mp3(variable=False), mp3(4 * RATE)
    audio, faults = decode(first[:-100] + second)
    np.testing.assert_array_equal(audio[:, -4 * RATE :], decode(second)[0])
    assert len(faults) >= 1


@pytest.mark.parametrize("frames", [0, 1, 100, 1_000_000, 2**32 - 1])
def test_a_tag_that_counts_wrong(frames) -> None:
    data = mp3()
    position = data.index(b"Xing") + 8
    audio, faults = decode(with_bytes(data, position, frames.to_bytes(4, "big")))
    assert abs(audio.shape[1] - 6 * RATE) < 3 * ONE_FRAME
    assert bool(faults) == (frames > 1000)


def test_free_format() -> None:
    frames = mpeg_frames(mp3(tag=False, variable=False))
    audio, faults = decode(free_format(frames))
    assert faults == []
    np.testing.assert_array_equal(audio, decode(b"".join(frames))[0])
    assert decode(free_format(frames) + ID3V1)[0].shape == audio.shape


def test_layer_1() -> None:
    audio, faults = decode(silent_layer_1(300))
    assert (audio.shape, faults) == ((1, 300 * 384), [])


def test_bit_rates_of_layer_2_that_change() -> None:
    def silent(kbps_index: int, size: int, count: int) -> bytes:
        return (bytes([0xFF, 0xFD, kbps_index << 4 | 4, 0xC0]) + bytes(size - 4)) * count

    data = silent(14, 1152, 20) + silent(1, 96, 500)  # 384, then 32 kb/s, both at 48 kHz
    audio, faults = decode(data)
    assert (audio.shape, faults) == ((1, 520 * ONE_FRAME), [])


def test_vbri_is_replaced_by_a_count() -> None:
    frames = mpeg_frames(mp3())
    tag = with_bytes(
        frames[0][:4] + bytes(len(frames[0]) - 4),
        36,
        b"VBRI" + bytes(10) + (len(frames) - 1).to_bytes(4, "big"),
    )
    audio, faults = decode(b"".join([tag, *frames[1:]]))
    assert (audio.shape, faults) == ((2, (len(frames) - 1) * ONE_FRAME), [])
    audio, faults = decode(b"".join([tag, *frames[1:100]]))
    assert audio.shape == (2, 99 * ONE_FRAME)
    assert faults == ["cut short or damaged: only 2.59 s of 6.03 s are there"]


def test_zeros_are_not_decoded() -> None:
    """The zeros that enlarge a file must not become sound where a decoder reads on."""
    decoder = Decoder(io.BytesIO(mp3(RATE, tag=False)), "a")
    assert isinstance(decoder._parts[0].part.pieces[-1], Zeros)
    assert sum(block.shape[1] for block in decoder.blocks(1 << 20)) == decoder.frames
