"""A file reaches the audio thread whole, in order, and silence follows it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from pyvocsep.live.playback import Playback

RATE = 8_000


def test_a_file_comes_whole(mixture: Mixture, tmp_path: Path) -> None:
    audio = mixture(10 * RATE, rate=RATE)  # longer than the ring
    soundfile.write("song.wav", audio.T, RATE, "FLOAT")
    heard = []
    with Playback("song.wav") as playback:
        assert (playback.sample_rate, playback.channels) == (RATE, 2)
        playback.wait_until_ready()
        while not playback.has_ended:
            block = np.full((700, 2), np.nan, np.float32)
            starved = playback.starved
            taken = playback._ring.available
            playback.read_into(block)
            heard.append(block[: min(taken, 700)] if playback.starved > starved else block)
            time.sleep(0.001)
    got = np.concatenate(heard).T
    np.testing.assert_array_equal(got[:, : audio.shape[1]], audio)
    assert not got[:, audio.shape[1] :].any()


def test_a_short_file_is_ready_at_once() -> None:
    soundfile.write("song.wav", np.ones(100) / 2, RATE, "FLOAT")
    with Playback("song.wav") as playback:
        playback.wait_until_ready()
        block = np.zeros((200, 1), np.float32)
        playback.read_into(block)
        assert block[:, 0].tolist() == [0.5] * 100 + [0.0] * 100
        assert playback.has_ended
        assert playback.starved == 0


def test_leaving_early_ends_the_thread(mixture: Mixture) -> None:
    soundfile.write("song.wav", mixture(60 * RATE, 1, rate=RATE).T, RATE)
    with Playback("song.wav") as playback:
        playback.wait_until_ready()
    assert not playback._thread.is_alive()


def test_what_cannot_be_read_is_an_error() -> None:
    Path("notes.txt").write_text("no music")
    with pytest.raises(pyvocsep.AudioFileError):
        Playback("notes.txt")
    with pytest.raises(FileNotFoundError):
        Playback("missing.wav")
