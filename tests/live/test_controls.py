"""Keys and the status line."""

from __future__ import annotations

import math

import pytest

from pyvocsep.live.controls import Controls, latency_line, status_line
from pyvocsep.live.keys import parse
from pyvocsep.live.session import Session

from .fake_portaudio import FakePortAudio
from .test_session import session_on


def pressed(keys: list[str], vocals_db: float = 0.0, accompaniment_db: float = 0.0) -> Controls:
    controls = Controls(vocals_db, accompaniment_db)
    for key in keys:
        controls.press(key)
    return controls


@pytest.mark.parametrize(
    ("keys", "levels"),
    [
        (["up", "up", "left"], (2, -1)),
        (["down"] * 59, (-59, 0)),
        (["down"] * 61, (-math.inf, 0)),
        (["down"] * 99 + ["up"], (-59, 0)),
        (["right"] * 40, (0, 12)),
        (["down", "v"], (-math.inf, 0)),
        (["down", "v", "v"], (-1, 0)),
        (["a", "0"], (0, 0)),
        (["x", "Z"], (0, 0)),
    ],
)
def test_levels(keys: list[str], levels: tuple[float, float]) -> None:
    assert pressed(keys).levels_db == levels


def test_a_stem_that_begins_off_can_be_put_on() -> None:
    assert pressed(["v"], vocals_db=-math.inf).levels_db == (0, 0)


def test_bypass_and_quit() -> None:
    assert pressed(["b"]).bypassed
    assert not pressed(["b", "b"]).bypassed
    assert pressed(["q"]).quits


def test_what_a_terminal_sends() -> None:
    assert list(parse("\x1b[Av\x1b[D\x1b[Bq")) == ["up", "v", "left", "down", "q"]


def test_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    controls = pressed(["down", "a"])
    lines = []

    def look(session: Session) -> bool:
        controls.apply(session)
        lines.append(status_line(session, controls))
        return session.mixer is None or session.mixer.blocks < 10

    session = session_on(FakePortAudio(blocks=10, overflow_at=2))
    session.run(look)
    assert session.mixer.levels_db == (-1, -math.inf)
    assert latency_line(session) == "latency 56 ms = 10 driver + 46 frame + 0 look-ahead"
    assert "vocals -1 dB  accompaniment off" in lines[-1]
    assert "xruns 1" in lines[-1]
    controls.press("b")
    assert "bypassed" in status_line(session, controls)
    session.is_connected = False
    assert "vanished" in status_line(session, controls)
