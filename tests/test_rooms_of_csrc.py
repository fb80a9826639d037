"""The rooms of csrc: each includes only what stands before it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

CSRC = Path(__file__).parents[1] / "csrc"

ROOMS = {
    "pyvocsep": set(),
    "base": {"pyvocsep"},
    "kernels": {"pyvocsep", "base"},
    "dsp": {"pyvocsep", "base", "kernels"},
    "model": {"pyvocsep", "base"},
    "nn": {"pyvocsep", "base", "kernels", "dsp", "model"},
    "engine": {"pyvocsep", "base", "kernels", "dsp", "nn"},
    "training": {"base", "kernels"},
    "plugins/common": {"pyvocsep", "base"},
    "plugins/lv2": {"pyvocsep", "plugins/common"},
    "plugins/vst3": {"pyvocsep", "plugins/common"},
    "python": {"pyvocsep", "base", "kernels", "dsp", "model", "nn"},
    "tests": {
        "pyvocsep",
        "base",
        "kernels",
        "dsp",
        "model",
        "nn",
        "plugins/common",
        "plugins/lv2",
        "plugins/vst3",
    },
    "fuzz": {"pyvocsep", "model", "plugins/common", "plugins/vst3", "tests"},
}
"""What each room may include, besides itself. `pyvocsep` stands for include/pyvocsep, the public headers."""

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<][^">]+)', re.MULTILINE)


def room_of(path: str) -> str | None:
    """The room of a path below csrc or csrc/include; None if there is no such room."""
    return next((room for room in ROOMS if path.startswith(room + "/")), None)


def violations(sources: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong in (path below csrc or csrc/include, text) pairs, one line for each include."""
    found = []
    for path, text in sources:
        room = room_of(path)
        if room is None:
            found.append(f"{path} is in no room")
            continue
        for include in INCLUDE.findall(text):
            quoted, target = include[0] == '"', include[1:]
            if quoted and room_of(target) not in ROOMS[room] | {room}:
                found.append(f"{path} includes {target}")
            if not quoted and room_of(target) is not None:
                found.append(f"{path} includes <{target}>: write it in quotes")
    return found


def sources() -> list[tuple[str, str]]:
    files = [path for path in CSRC.rglob("*") if path.suffix in (".h", ".cpp")]
    return [(path.relative_to(CSRC).as_posix().removeprefix("include/"), path.read_text()) for path in files]


def test_each_room_includes_only_what_stands_before_it() -> None:
    assert violations(sources()) == []


def test_every_room_has_sources() -> None:
    assert {room_of(path) for path, _ in sources()} == set(ROOMS)


def test_violations_are_found() -> None:
    assert violations([("dsp/fft.cpp", '#include "nn/gru.h"\n')]) == ["dsp/fft.cpp includes nn/gru.h"]
    assert violations([("pyvocsep/model.h", '#pragma once\n #  include "base/buffer.h"\n')]) != []
    assert violations([("engine/c_api.cpp", "#include <pyvocsep/model.h>")]) != []
    assert violations([("nn/gru.h", '#include "layers.h"')]) == ["nn/gru.h includes layers.h"]
    assert violations([("attic/gru.h", "")]) == ["attic/gru.h is in no room"]
    assert violations([("nn/gru.h", '#include <vector>\n#include "nn/layers.h"\n// #include "x"\n')]) == []


def test_the_order_has_no_circle() -> None:
    rooms = list(ROOMS)
    assert all(rooms.index(before) < rooms.index(room) for room in rooms for before in ROOMS[room])
