"""The LV2 plugin live in jalv, between JACK's ports, on JACK's driver without a sound card."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Mixture

import pyvocsep
from hosts.live import installed, onset, running, silence_before, wait_for
from pyvocsep.plugins.bundles import LV2, bundle_path
from pyvocsep.plugins.install import install

jack: Any = pytest.importorskip("jack", reason="JACK-Client is not installed", exc_type=ImportError)

RATE, PERIOD = 48_000, 1024
SERVER = "pyvocsep-tests"

pytestmark = pytest.mark.hosts


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """JACK, and a user's folder with the plugin."""
    installed("jackd", "jalv")
    try:
        bundle_path(LV2)
    except FileNotFoundError as error:
        pytest.skip(str(error.strerror))
    install(LV2, tmp_path / ".lv2")
    variables = {name: value for name, value in os.environ.items() if name != "LV2_PATH"}
    variables |= {"HOME": str(tmp_path), "JACK_DEFAULT_SERVER": SERVER, "JACK_NO_AUDIO_RESERVATION": "1"}
    command = ["jackd", "--name", SERVER, "--no-realtime", "--sync", "-d", "dummy"]
    command += ["--rate", str(RATE), "--period", str(PERIOD)]
    with running(command, tmp_path / "jackd.log", variables):
        yield variables


class Player:
    """A client of JACK that plays a signal to the plugin and records what comes back."""

    def __init__(self, signal: np.ndarray, periods: int) -> None:
        self.client = jack.Client("test", no_start_server=True, servername=SERVER)
        self.outputs = [self.client.outports.register(f"out_{c}") for c in range(2)]
        self.inputs = [self.client.inports.register(f"in_{c}") for c in range(2)]
        self.signal = signal
        self.heard = np.zeros((2, periods * PERIOD), np.float32)
        self.played = self.recorded = 0
        self.playing = False
        self.client.set_process_callback(self.process)

    def process(self, frames: int) -> None:
        for c in range(2):
            block = np.zeros(frames, np.float32)
            if self.playing:
                part = self.signal[c, self.played : self.played + frames]
                block[: len(part)] = part
            self.outputs[c].get_array()[:] = block
            if self.playing and self.recorded + frames <= self.heard.shape[1]:
                self.heard[c, self.recorded : self.recorded + frames] = self.inputs[c].get_array()
        if self.playing:
            self.played += frames
            self.recorded += frames


def connect() -> Any:
    try:
        return jack.Client("probe", no_start_server=True, servername=SERVER)
    except jack.JackOpenError:
        return None


def ports(probe: Any, name: str) -> list[str]:
    return [port.name for port in probe.get_ports(name)]


def test_live_it_gives_the_bits_of_the_effect(
    environment: dict[str, str], tmp_path: Path, mixture: Mixture
) -> None:
    song = mixture(2 * RATE, 2, RATE, peak=0.3)
    client: list[Any] = []
    wait_for(lambda: bool(client.append(connect()) or client[-1]), "JACK")
    probe = client[-1]
    command = ["jalv", "-c", "vocals=-6.5", "-c", "accompaniment=-0.1", "urn:pyvocsep:stereo"]
    with running(command, tmp_path / "jalv.log", environment):
        wait_for(lambda: len(ports(probe, "pyvocsep:")) == 4, "jalv's ports")
        player = Player(song, 120)
        with player.client:
            for c, side in enumerate(["left", "right"]):
                player.client.connect(player.outputs[c], f"pyvocsep:in_{side}")
                player.client.connect(f"pyvocsep:out_{side}", player.inputs[c])
            player.playing = True
            wait_for(lambda: player.recorded >= player.heard.shape[1], "the recording")
    probe.close()
    expected = pyvocsep.StemMixer(-6.5, -0.1)(song, RATE)
    begin = onset(player.heard, expected)
    latency = pyvocsep.Separator(RATE, 2).latency_samples
    assert begin % PERIOD == latency % PERIOD  # late by the plugin's latency, and whole periods of JACK's
    gains = 10 ** (-6.5 / 20), 10 ** (-0.1 / 20)
    silence = silence_before(player.heard, song[:, :8000], begin, RATE, gains, PERIOD)
    assert silence is not None, "what came back is not what the effect gives"
