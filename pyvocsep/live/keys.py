"""Single keys from the terminal, while something else goes on."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import termios
    import tty
except ImportError:  # Windows: no keys
    termios = None  # type: ignore[assignment]

_NAMES = {"\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left"}


@contextmanager
def keyboard() -> Iterator[bool]:
    """Let `pressed` see each key at once; yields whether there is a terminal that has keys."""
    if termios is None or not sys.stdin.isatty():
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield True
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def pressed() -> list[str]:
    """Return the keys pressed since the last call: letters, or up, down, left and right."""
    text = ""
    descriptor = sys.stdin.fileno()
    while select.select([descriptor], [], [], 0)[0]:
        more = os.read(descriptor, 64).decode(errors="ignore")
        if not more:
            break
        text += more
    return list(parse(text))


def parse(text: str) -> Iterator[str]:
    """Split what a terminal sends into keys."""
    while text:
        for sequence, name in _NAMES.items():
            if text.startswith(sequence):
                yield name
                text = text[len(sequence) :]
                break
        else:
            yield text[0]
            text = text[1:]
