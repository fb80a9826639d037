"""The LV2 plugin, installed as a user does, in programs of others: to the bit what `StemMixer` gives.

(csrc/tests/lv2_host.cpp calls it without others between.)
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture
from numpy.typing import NDArray

import pyvocsep
from pyvocsep.plugins.bundles import LV2, bundle_path, library
from pyvocsep.plugins.install import install

try:
    bundle_path(LV2)
except FileNotFoundError as error:
    pytest.skip(f"no plugin: {error.strerror}", allow_module_level=True)

Audio = NDArray[np.float32]

SPECIFICATION = [Path("/usr/lib/lv2"), Path("/usr/local/lib/lv2")]
"""Where the descriptions of LV2 itself are, which hosts and validators read."""


def host(name: str) -> str:
    command = shutil.which(name)
    if command is None:
        pytest.skip(f"{name} is not installed")
    return command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder of LV2 plugins."""
    return install(LV2, tmp_path_factory.mktemp("home") / ".lv2").parent


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, [folder, *SPECIFICATION]))
    return subprocess.run(
        command,
        env={**os.environ, "LV2_PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_validators_find_nothing(folder: Path) -> None:
    """`lv2_validate` is `sord_validate` over LV2's own descriptions and the given files."""
    host("sord_validate")
    command = host("lv2_validate")
    files = [str(path) for path in sorted((folder / LV2.bundle).glob("*.ttl"))]
    assert len(files) == 3
    checked = run([command, *files], folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Found 0 errors" in checked.stdout + checked.stderr, checked.stdout + checked.stderr


def test_a_host_lists_both_and_the_presets(folder: Path) -> None:
    listed = run([host("lv2ls")], folder)
    assert {"urn:pyvocsep:stereo", "urn:pyvocsep:mono"} <= set(listed.stdout.split())
    info = run([host("lv2info"), "urn:pyvocsep:stereo"], folder)
    assert "Has latency:       yes, reported by port" in info.stdout
    assert {"Karaoke", "Quieter vocals", "A cappella"} <= {line.strip() for line in info.stdout.splitlines()}
    assert info.stderr == ""


@pytest.mark.parametrize(
    ("channels", "rate", "model", "levels"),
    [
        (2, 44_100, "band-gru", (-6.5, -0.1)),
        (1, 48_000, "band-gru", (3.3, -88.0)),
        (2, 32_000, "gru", (0.0, -20.0)),
    ],
)
def test_lv2apply_gives_the_bits_of_the_stem_mixer(
    folder: Path,
    mixture: Mixture,
    tmp_path: Path,
    channels: int,
    rate: int,
    model: str,
    levels: tuple[float, float],
) -> None:
    command = host("lv2apply")
    audio = mixture(40_000, channels, rate)
    soundfile.write(tmp_path / "in.wav", audio.T, rate, "FLOAT")
    uri = "urn:pyvocsep:" + ("stereo" if channels == 2 else "mono")
    values = {"vocals": levels[0], "accompaniment": levels[1], "model": int(model == "gru")}
    options = [word for name, value in values.items() for word in ("-c", name, str(value))]
    applied = run(
        [command, "-i", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out.wav"), *options, uri], folder
    )
    assert applied.returncode == 0, applied.stdout + applied.stderr
    heard, heard_rate = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    silent = [-np.inf if level == -88 else level for level in levels]
    expected = pyvocsep.StemMixer(*silent, model=model)(audio, rate)
    latency = pyvocsep.Separator(rate, channels, model).latency_samples
    assert heard_rate == rate
    np.testing.assert_array_equal(heard.T[:, latency:], expected[:, : heard.shape[0] - latency])
    assert np.abs(expected).max() > 0.01


class Descriptor(ctypes.Structure):
    """LV2_Descriptor."""

    _fields_ = [
        ("uri", ctypes.c_char_p),
        ("instantiate", ctypes.CFUNCTYPE(*[ctypes.c_void_p] * 2, ctypes.c_double, *[ctypes.c_void_p] * 2)),
        ("connect_port", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)),
        ("activate", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("run", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32)),
        ("deactivate", ctypes.c_void_p),
        ("cleanup", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("extension_data", ctypes.c_void_p),
    ]


def process(binary: Path, audio: Audio, rate: float) -> Audio:
    """Run the plugin from a library of a bundle, all controls at their defaults."""
    entry = ctypes.CDLL(str(binary)).lv2_descriptor
    entry.restype = ctypes.POINTER(Descriptor)
    channels = audio.shape[0]
    plugin = entry(0 if channels == 2 else 1).contents
    handle = plugin.instantiate(ctypes.addressof(plugin), rate, None, None)
    assert handle
    output = np.empty_like(audio)
    for port, channel in enumerate([*audio, *output]):
        plugin.connect_port(handle, port, channel.ctypes.data)
    plugin.activate(handle)
    plugin.run(handle, audio.shape[1])
    plugin.cleanup(handle)
    return output


@pytest.mark.parametrize("channels", [1, 2])
def test_the_bundle_in_the_package_and_a_copy_of_it_work_alike(
    folder: Path, mixture: Mixture, channels: int
) -> None:
    """The one uses the package's weights, the other its own; this needs no host."""
    audio = np.ascontiguousarray(mixture(20_000, channels))
    expected = pyvocsep.StemMixer()(audio, 44_100)
    for bundle in (bundle_path(LV2), folder / LV2.bundle):
        output = process(bundle / library(LV2), audio, 44_100)
        latency = pyvocsep.Separator(44_100, channels).latency_samples
        np.testing.assert_array_equal(output[:, latency:], expected[:, : 20_000 - latency])
