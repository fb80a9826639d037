"""Standard input and output as files, and waiting for them that can be called off.

A thread that waits for a pipe, maybe forever, cannot be interrupted. So it waits for the pipe and, at once,
for a second one, through which it is told to give up.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import threading
from concurrent.futures import CancelledError
from typing import Any

_CAN_WAIT = os.name == "posix"  # elsewhere select() knows sockets alone
_WRITTEN_AT_ONCE = getattr(select, "PIPE_BUF", 512)
"""Bytes that a pipe takes without blocking once it is said to be writable."""


class Cancellation:
    """A request to give up, made by one thread and seen by the others, which may be waiting for pipes.

    A context manager; it must outlive the threads.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._told, self._tell = os.pipe()

    def request(self) -> None:
        """Ask all to give up."""
        self._requested.set()
        os.write(self._tell, b"!")

    def check(self) -> None:
        """Raise CancelledError if it was asked for."""
        if self._requested.is_set():
            raise CancelledError

    def wait(self, descriptor: int, *, to_write: bool) -> None:
        """Return when a descriptor can be read or written without blocking; CancelledError if called off."""
        if _CAN_WAIT:
            reads, writes = ([self._told], [descriptor]) if to_write else ([self._told, descriptor], [])
            select.select(reads, writes, [])
        self.check()

    def __enter__(self) -> Cancellation:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._told)
        os.close(self._tell)


class PipeInput(io.RawIOBase):
    """A pipe to read from.

    Args:
        descriptor: of the pipe; closed with this if `closes`.
        name: for messages.
    """

    def __init__(
        self, descriptor: int, name: str, cancellation: Cancellation, *, closes: bool = False
    ) -> None:
        self.name = name
        self._descriptor, self._cancellation, self._closes = descriptor, cancellation, closes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._cancellation.wait(self._descriptor, to_write=False)
        data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if self._closes and not self.closed:
            os.close(self._descriptor)
        super().close()


class PipeOutput(io.RawIOBase):
    """A pipe to write to; it stays open."""

    def __init__(self, descriptor: int, name: str, cancellation: Cancellation) -> None:
        self.name = name
        self._descriptor, self._cancellation = descriptor, cancellation
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._at_once = 1 << 20 if is_file else _WRITTEN_AT_ONCE

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._cancellation.wait(self._descriptor, to_write=True)
        return os.write(self._descriptor, memoryview(data)[: self._at_once])


def standard_input(cancellation: Cancellation) -> io.RawIOBase:
    """Return standard input as a binary file: one that can seek if a file was redirected to it.

    Raises ValueError if it is a terminal.
    """
    if sys.stdin.isatty():
        raise ValueError("standard input is a terminal; pipe or redirect a song to it")
    descriptor = sys.stdin.fileno()
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return _Named(descriptor, "standard input")
    return PipeInput(descriptor, "standard input", cancellation)


def standard_output(cancellation: Cancellation) -> PipeOutput:
    """Return standard output as a binary file; ValueError if it is a terminal."""
    if sys.stdout.isatty():
        raise ValueError("standard output is a terminal; pipe it on, or redirect it to a file")
    return PipeOutput(sys.stdout.fileno(), "standard output", cancellation)


def opened_pipe(path: str, cancellation: Cancellation) -> PipeInput | None:
    """Return a named pipe, or one under /dev, opened to be read; None if the path is something else.

    Nobody need have opened its other end yet: the first read waits for that.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    if not _CAN_WAIT or not stat.S_ISFIFO(mode):
        return None
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return PipeInput(descriptor, path, cancellation, closes=True)


class _Named(io.FileIO):
    """An open file by its descriptor, with a name for messages."""

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__(descriptor, "r", closefd=False)
        self.name = name
