"""A session plays, counts what it loses, and goes on when a device comes back."""

from __future__ import annotations

import itertools
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from pyvocsep.live.errors import LiveError
from pyvocsep.live.mixer import LiveMixer
from pyvocsep.live.playback import Playback
from pyvocsep.live.session import Route, Session, Timing
from pyvocsep.models import DEFAULT

from .fake_portaudio import FakePortAudio, PortAudioError

RATE = 44_100
PATIENT = Timing(look_s=0.002, stall_s=300.0, retry_s=0.005)  # a busy machine is no vanished device
HASTY = Timing(look_s=0.002, stall_s=0.05, retry_s=0.005)


def session_on(
    card: FakePortAudio, model: Any = "band-gru", levels: tuple[float, float] = (0, 0), **more: Any
) -> Session:
    def make_mixer(rate: float, channels: int) -> LiveMixer:
        return LiveMixer(rate, channels, model, "float32", *levels)

    return Session(card, more.pop("route", Route(block=256)), make_mixer, **{"timing": PATIENT, **more})


def test_what_comes_in_goes_out_mixed(mixture: Mixture) -> None:
    audio = mixture(256 * 100).T
    card = FakePortAudio(lambda number, shape: audio[256 * number : 256 * (number + 1)].copy(), blocks=100)
    session = session_on(card, levels=(-math.inf, -6))
    session.run(lambda session: session.mixer is None or session.mixer.blocks < 100)
    heard = np.concatenate(card.heard).T
    late = session.mixer.latency_samples
    expected = pyvocsep.StemMixer(-math.inf, -6)(np.ascontiguousarray(audio.T), RATE)
    np.testing.assert_array_equal(heard[:, late:], expected[:, :-late])
    assert session.driver_latency_s == pytest.approx(0.010)
    assert session.reconnections == session.xruns == 0


@pytest.mark.parametrize("ending", ["stall", "inactive"])
def test_a_device_that_vanishes_is_opened_again(ending: str) -> None:
    card = FakePortAudio(
        blocks=20, ending=ending, openings=[None, PortAudioError("gone"), PortAudioError("gone"), None, None]
    )
    session = session_on(card, timing=HASTY)
    connected = []

    def look(session: Session) -> bool:
        connected.append(session.is_connected)
        return session.reconnections < 2

    session.run(look)
    assert session.reconnections == 2
    assert len(card.opened) == 3
    assert card.restarts == 4, "PortAudio looks for devices only when it starts"
    changes = [key for key, _ in itertools.groupby(connected)]
    assert changes[:3] == [True, False, True]


def test_the_session_can_end_while_the_device_is_away() -> None:
    card = FakePortAudio(blocks=1, ending="inactive", openings=[None] + [PortAudioError("gone")] * 10_000)
    session = session_on(card)
    looks = itertools.count()
    session.run(lambda session: next(looks) < 60)
    assert not session.is_connected


def test_lost_blocks_are_counted() -> None:
    card = FakePortAudio(blocks=20, overflow_at=7)
    session = session_on(card)
    session.run(lambda session: session.mixer is None or session.mixer.blocks < 20)
    assert session.xruns == 1


def test_what_cannot_be_opened_is_a_sentence() -> None:
    with pytest.raises(LiveError, match=r"'card' does not play at 44100 Hz: Invalid sample rate"):
        session_on(FakePortAudio(openings=[PortAudioError("Invalid sample rate")])).run(lambda _: True)
    with pytest.raises(LiveError, match="no output device 'kitchen'"):
        session_on(FakePortAudio(), route=Route(output_device="kitchen")).run(lambda _: True)


def test_a_file_plays_to_its_end(mixture: Mixture, tmp_path: Path) -> None:
    audio = mixture(2 * RATE)
    soundfile.write("song.wav", audio.T, RATE, "FLOAT")
    card = FakePortAudio(blocks=10_000)
    with Playback("song.wav") as playback:
        playback.wait_until_ready()
        session = session_on(card, levels=(0, -math.inf), playback=playback)
        session.run(lambda _: True)
    heard = np.concatenate(card.heard).T
    late = session.mixer.latency_samples
    expected = pyvocsep.process("song.wav", model=DEFAULT).vocals
    np.testing.assert_array_equal(heard[:, late : late + audio.shape[1]], expected)
    assert card.opened[0]["samplerate"] == RATE
    assert playback.starved == 0


def test_a_file_keeps_its_rate(mixture: Mixture) -> None:
    soundfile.write("song.wav", mixture(100).T, RATE)
    with Playback("song.wav") as playback, pytest.raises(LiveError, match="leave out --rate"):
        session_on(FakePortAudio(), playback=playback, route=Route(sample_rate=48_000)).run(lambda _: True)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
def test_an_hour(model: Path) -> None:
    """An hour of simulated time, every sample of it, in memory that does not grow."""
    rate, block = 8_000, 1_000
    blocks = 3600 * rate // block
    rng = np.random.default_rng(0)
    loop = (0.3 * rng.standard_normal((41 * block, 2))).astype(np.float32)  # 5 s, over and over

    def source(number: int, shape: tuple[int, int]) -> np.ndarray:
        start = number % 41 * block
        return loop[start : start + block]

    separator = pyvocsep.Separator(rate, 2, model)
    right, resident = 0, []

    class Checked(LiveMixer):
        def process(self, indata: np.ndarray, outdata: np.ndarray) -> None:
            nonlocal right
            super().process(indata, outdata)
            vocals, _ = separator.process(np.ascontiguousarray(indata.T))
            right += np.array_equal(outdata.T, vocals)
            if self.blocks % (blocks // 6) == 0:
                resident.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)

    card = FakePortAudio(source, blocks=blocks, keeps=False)
    session = Session(
        card,
        Route(sample_rate=rate, block=block),
        lambda rate, channels: Checked(rate, channels, model, "float32", 0, -math.inf),
        timing=Timing(look_s=0.05, stall_s=300.0),
    )
    session.run(lambda session: session.mixer is None or session.mixer.blocks < blocks)
    assert right == blocks
    assert session.mixer.frames == 3600 * rate
    assert session.reconnections == session.xruns == 0
    assert max(resident[1:]) - min(resident[1:]) < 4e6, resident
