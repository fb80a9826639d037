"""What the keys do, and the line that shows it."""

from __future__ import annotations

import math

from pyvocsep.live.session import Session

STEP_DB = 1.0
LOWEST_DB = -60.0
HIGHEST_DB = 12.0

HELP = (
    "up/down: vocals   right/left: accompaniment   v/a: vocals, accompaniment off and on   "
    "b: bypass   0: both to 0 dB   q: quit"
)


class Controls:
    """Levels that keys turn.

    Args:
        vocals_db, accompaniment_db: at the start.
    """

    def __init__(self, vocals_db: float, accompaniment_db: float) -> None:
        self._levels = [vocals_db, accompaniment_db]
        self._before_off = [0.0, 0.0]
        self.bypassed = False
        self.quits = False

    @property
    def levels_db(self) -> tuple[float, float]:
        """Vocals and accompaniment; minus infinity is off."""
        return self._levels[0], self._levels[1]

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing."""
        steps = {"up": (0, STEP_DB), "down": (0, -STEP_DB), "right": (1, STEP_DB), "left": (1, -STEP_DB)}
        if key in steps:
            stem, step = steps[key]
            level = max(self._levels[stem], LOWEST_DB) + step
            self._levels[stem] = min(level, HIGHEST_DB) if level > LOWEST_DB else -math.inf
        elif key in ("v", "a"):
            self._toggle("va".index(key))
        elif key == "b":
            self.bypassed = not self.bypassed
        elif key == "0":
            self._levels = [0.0, 0.0]
        elif key == "q":
            self.quits = True

    def apply(self, session: Session) -> None:
        """Hand the levels to the session's mixer, if they are not its own already."""
        mixer = session.mixer
        if mixer is None:
            return
        if mixer.levels_db != self.levels_db:
            mixer.levels_db = self.levels_db
        if mixer.bypassed != self.bypassed:
            mixer.bypassed = self.bypassed

    def _toggle(self, stem: int) -> None:
        if self._levels[stem] == -math.inf:
            self._levels[stem] = self._before_off[stem]
        else:
            self._before_off[stem] = self._levels[stem]
            self._levels[stem] = -math.inf


def latency_line(session: Session) -> str:
    """Return the latency as a sum of its parts, in ms."""
    mixer = session.mixer
    assert mixer is not None
    parts = {
        "driver": session.driver_latency_s,
        "frame": mixer.frame_samples / mixer.sample_rate,
        "look-ahead": mixer.look_ahead_samples / mixer.sample_rate,
    }
    sum_ms = 1000 * sum(parts.values())
    return f"latency {sum_ms:.0f} ms = " + " + ".join(f"{1000 * s:.0f} {name}" for name, s in parts.items())


def status_line(session: Session, controls: Controls) -> str:
    """Return levels, load and lost blocks on one line."""
    mixer = session.mixer
    if mixer is None or not session.is_connected:
        return "The device has vanished; waiting for it to come back."
    vocals, accompaniment = map(_level, controls.levels_db)
    levels = "bypassed" if controls.bypassed else f"vocals {vocals}  accompaniment {accompaniment}"
    clock = f"{int(mixer.frames / mixer.sample_rate) // 60}:{int(mixer.frames / mixer.sample_rate) % 60:02}"
    return f"{clock}  {levels}  load {mixer.load:4.0%} (worst {mixer.worst_load:.0%})  xruns {session.xruns}"


def _level(level_db: float) -> str:
    return "off" if level_db == -math.inf else f"{level_db:+.0f} dB"
