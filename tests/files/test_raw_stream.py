"""Samples without a header: every whole one comes out once, in blocks; a part of one is told."""

from __future__ import annotations

import io

import numpy as np
import pytest

from pyvocsep.files.forward import ForwardFile
from pyvocsep.files.raw_stream import RawStream, raw_layout


def stream(data: bytes, channels: int) -> RawStream:
    return RawStream(ForwardFile(io.BytesIO(data)), 48_000, channels)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 7, 100, 1000])
def test_blocks_hold_all_samples_in_their_order(channels: int, length: int) -> None:
    audio = np.random.default_rng(0).standard_normal((channels, 100)).astype("<f4")
    raw = stream(audio.T.tobytes(), channels)
    blocks = list(raw.blocks(length))
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), audio)
    assert [block.shape[1] for block in blocks[:-1]] == [length] * (len(blocks) - 1)
    assert all(block.dtype == np.float32 and block.flags.c_contiguous for block in blocks)
    assert raw.faults == []


@pytest.mark.parametrize("missing", range(1, 8))
def test_a_part_of_a_sample_at_the_end_is_told(missing: int) -> None:
    audio = np.arange(20, dtype="<f4").reshape(10, 2)
    raw = stream(audio.tobytes()[:-missing], 2)
    np.testing.assert_array_equal(np.concatenate(list(raw.blocks(4)), axis=1), audio[:-1].T)
    assert raw.faults == [f"cut short: the last {8 - missing} bytes are no whole sample"]


def test_less_than_a_sample_gives_no_block() -> None:
    raw = stream(b"\0\0\0", 2)
    assert list(raw.blocks(4)) == []
    assert raw.faults == ["cut short: the last 3 bytes are no whole sample"]


def test_layouts() -> None:
    assert raw_layout("44100,2") == (44_100, 2)
    assert raw_layout(" 8000 , 1 ") == (8_000, 1)
    for text in ("44100", "44100,2,1", "44100,0", "0,2", "-8000,1", "fast,2", "44100,", ""):
        with pytest.raises(ValueError, match="is not RATE,CHANNELS"):
            raw_layout(text)
