"""What surrounds a command: option types, closed standard streams, decoders that print, ending signals."""

from __future__ import annotations

import argparse
import faulthandler
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, TextIO

from tqdm import tqdm  # type: ignore[import-untyped]

_STDERR = 2
_BAR = "{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining}"
_ENDLESS_BAR = "{desc} {n:.0f} s | {elapsed}"


def positive(text: str) -> int:
    """Return an option's whole number above 0; for argparse, as a type."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def count(text: str) -> int:
    """Return an option's whole number, which may be 0; for argparse, as a type."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def open_standard_streams() -> set[int]:
    """Give each standard stream that is closed (`2>&-`) the null device, and return which were.

    Else the next file that is opened gets its number: what a decoder prints would land in somebody's song.
    And Python's streams would be None.
    """
    closed = set()
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.add(descriptor)
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  (stays open until the process ends)
    return closed


class Lines:
    """Prints lines between progress bars, and never fails: whoever listened may have gone.

    Args:
        stream: sys.stdout or sys.stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.error: OSError | None = None
        """Why the first line was lost, if one was."""

    def print(self, text: str) -> None:
        """Print a text as one line, with whatever characters the file names in it have."""
        encoding = self._stream.encoding or "utf-8"
        line = " ".join(text.splitlines()).encode(encoding, "backslashreplace").decode(encoding)
        with self._lock:
            if self.error is not None:
                return
            try:
                tqdm.write(line, file=self._stream)
                self._stream.flush()
            except OSError as error:
                self.error = error
                self._discard()

    def _discard(self) -> None:
        """Send what is still in the buffer nowhere: Python would try again, and complain, when it ends."""
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


class Bar:
    """A progress bar on stderr while that is a terminal; a context manager. It never fails.

    Attributes:
        done: the last amount that was shown.
    """

    def __init__(self, title: str, *, hidden: bool) -> None:
        self.done = 0.0
        options = {"desc": title, "leave": False, "bar_format": _BAR, "file": sys.stderr}
        try:
            self._bar = tqdm(disable=True if hidden else None, **options)
        except OSError:  # the terminal is gone already
            self._bar = tqdm(disable=True, **options)

    def show(self, done: float, total: float) -> None:
        """Show that so much of all is done."""
        self.done = done
        self._bar.total = total if math.isfinite(total) else None
        self._bar.bar_format = _BAR if math.isfinite(total) else _ENDLESS_BAR
        try:
            self._bar.update(done - self._bar.n)
        except OSError:  # the terminal is gone, the work goes on
            self._bar.disable = True

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._bar.close()


@contextmanager
def quiet_c_libraries() -> Iterator[None]:
    """Keep stderr to ourselves: the decoders under libsndfile print remarks about files there.

    Only Python writes to it meanwhile, and a crash: that must never be mute.
    """
    stderr = sys.stderr
    try:
        is_ours = stderr.fileno() == _STDERR
    except (AttributeError, OSError, ValueError):
        is_ours = False  # a test's or a notebook's
    if not is_ours:
        yield
        return
    with suppress(OSError):
        stderr.flush()
    kept = os.dup(_STDERR)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), _STDERR)
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=stderr.encoding, errors=stderr.errors)
    was_enabled = faulthandler.is_enabled()
    faulthandler.enable(kept)
    try:
        yield
    finally:
        faulthandler.disable()
        with suppress(OSError):
            sys.stderr.flush()
        os.dup2(kept, _STDERR)
        with suppress(OSError):
            sys.stderr.close()
        sys.stderr = stderr
        if was_enabled:
            faulthandler.enable()


@contextmanager
def uninterrupted(*, once: bool = False) -> Iterator[None]:
    """Hold back the signals that interrupt until the block ends: for what must not be left half done.

    A KeyboardInterrupt in the middle of `Thread.start`, for one, leaves a thread that nobody knows of. One in
    a destructor or in a callback of C code is printed and forgotten.

    Args:
        once: whether only the first is held back, for a block that may take long: whoever asks again insists.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can receive signals
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    came: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        if once and came:
            before[number](number, frame)
        came.append(number)

    for number in before:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            before[number](number, None)


@contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Let a request to terminate, and the end of the terminal, clean up as Ctrl-C does.

    They raise KeyboardInterrupt with the signal's number. One that is ignored, as under nohup, stays ignored.
    """

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can receive signals
        return
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] == signal.SIG_DFL:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler == signal.SIG_DFL:
                signal.signal(number, handler)
