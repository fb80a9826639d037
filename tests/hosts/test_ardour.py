"""Both plugins in Ardour, without a window: its Lua interpreter, on a driver without a sound card."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import pyvocsep
from hosts.live import installed
from pyvocsep.plugins.bundles import FORMATS, VST3, bundle_path
from pyvocsep.plugins.install import install, place

ARDOUR = Path("/usr/lib/ardour7")
RATE = 48_000

pytestmark = pytest.mark.hosts


def test_the_latency_is_the_models_also_in_a_loaded_session(tmp_path: Path) -> None:
    installed("ardour7-lua")
    environment = {name: value for name, value in os.environ.items() if name != "LV2_PATH"}
    environment |= {"HOME": str(tmp_path), "PYVOCSEP_SESSION": str(tmp_path / "session")}
    for plugin in FORMATS:
        try:
            bundle_path(plugin)
        except FileNotFoundError as error:
            pytest.skip(str(error.strerror))
        install(plugin, tmp_path / f".{plugin.name.lower()}")
    scanner = [str(ARDOUR / "ardour-vst3-scanner"), "-f", str(place(VST3, tmp_path / ".vst3"))]
    subprocess.run(
        scanner, env=environment | {"LD_LIBRARY_PATH": str(ARDOUR)}, check=True, capture_output=True
    )
    script = Path(__file__).with_name("ardour.lua")
    played = subprocess.run(
        ["ardour7-lua", str(script)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    rows = [line.split() for line in played.stdout.splitlines()]
    shown = {(row[0], row[1]): int(row[2]) for row in rows if row and row[0] in ("new", "changed", "loaded")}
    before, after = (pyvocsep.Separator(RATE, 2, model).latency_samples for model in ("band-gru", "gru"))
    assert before != after
    assert shown == {
        ("new", "lv2"): before,
        ("new", "vst3"): before,
        ("changed", "lv2"): after,
        ("changed", "vst3"): before,  # a VST3 keeps its model until Ardour activates it again
        ("loaded", "lv2"): after,
        ("loaded", "vst3"): after,
    }, played.stdout + played.stderr
