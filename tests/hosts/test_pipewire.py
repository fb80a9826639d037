"""The example of a PipeWire sink, without a desktop: PipeWire with a null sink for loudspeakers."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from hosts.live import installed, onset, running, silence_before, wait_for
from pyvocsep.plugins.bundles import LV2, bundle_path
from pyvocsep.plugins.install import install

EXAMPLE = Path(__file__).parents[2] / "examples/pipewire/quieter-vocals.conf"
RATE = 48_000
QUANTUM = 1024
"""Samples that PipeWire processes at once, unless somebody asks for fewer."""
SPEAKERS = """
context.properties = {
    default.clock.rate = 48000  default.clock.quantum = 1024  default.clock.min-quantum = 1024
}
context.objects = [ { factory = adapter args = {
    factory.name = support.null-audio-sink  node.name = speakers  media.class = Audio/Sink
    audio.position = [ FL FR ]  priority.session = 2000  object.linger = true
} } ]
"""

pytestmark = pytest.mark.hosts


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a session with PipeWire, its session manager, and the plugin installed."""
    installed("dbus-run-session", "pipewire", "wireplumber", "pw-play", "pw-record", "pw-cli")
    try:
        bundle_path(LV2)
    except FileNotFoundError as error:
        pytest.skip(str(error.strerror))
    home, runtime = tmp_path / "home", tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    fragments = home / ".config/pipewire/pipewire.conf.d"
    fragments.mkdir(parents=True)
    (fragments / "speakers.conf").write_text(SPEAKERS)
    install(LV2, home / ".lv2")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DBUS_", "LV2_"))
    }
    environment |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    with (
        running(["pipewire"], tmp_path / "pipewire.log", environment),
        running(["dbus-run-session", "wireplumber"], tmp_path / "wireplumber.log", environment),
    ):
        wait_for(lambda: '"speakers"' in nodes(environment), "the loudspeakers")
        yield environment


def nodes(environment: dict[str, str]) -> str:
    listed = subprocess.run(
        ["pw-cli", "ls", "Node"], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    return listed.stdout


def test_it_turns_the_vocals_down_in_what_a_program_plays(
    desktop: dict[str, str], tmp_path: Path, mixture: Mixture
) -> None:
    song = mixture(3 * RATE, 2, RATE, peak=0.3)
    soundfile.write(tmp_path / "song.wav", song.T, RATE, "FLOAT")
    record = ["pw-record", "--target", "speakers", "-P", "{ stream.capture.sink = true }"]
    record += ["--format", "f32", "--rate", str(RATE), "--channels", "2", str(tmp_path / "heard.wav")]
    play = ["pw-play", "--target", "pyvocsep.sink", str(tmp_path / "song.wav")]
    with running(["pipewire", "-c", str(EXAMPLE)], tmp_path / "sink.log", desktop):
        wait_for(lambda: '"pyvocsep.output"' in nodes(desktop), "the sink")
        with running(record, tmp_path / "record.log", desktop):
            wait_for(lambda: (tmp_path / "heard.wav").exists(), "the recording")
            subprocess.run(play, env=desktop, timeout=120, check=True)
    heard = soundfile.read(tmp_path / "heard.wav", dtype="float32", always_2d=True)[0].T
    controls = dict(
        re.findall(r'"(vocals|accompaniment)"\s*= (-?[\d.]+)', EXAMPLE.read_text(encoding="utf-8"))
    )
    levels = float(controls["vocals"]), float(controls["accompaniment"])
    assert levels[0] < levels[1]
    begin = onset(heard, pyvocsep.StemMixer(*levels)(song, RATE))
    gains = 10 ** (levels[0] / 20), 10 ** (levels[1] / 20)
    silence = silence_before(
        np.ascontiguousarray(heard), np.ascontiguousarray(song[:, :8000]), begin, RATE, gains, QUANTUM
    )
    assert silence is not None, "what the loudspeakers got is not what the effect gives"
