"""Random access to the bytes of a file, in which nothing that the file says of itself is believed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Protocol


class Seekable(Protocol):
    """A binary file that can be read anywhere: an `io.FileIO`, an open file, a `BytesIO`."""

    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def read(self, size: int = ..., /) -> bytes | None: ...


class Source:
    """The bytes of a file by their position.

    Every request is cut to what the file has, so a size that was read from a damaged header costs no memory.

    Attributes:
        size: of the file, in bytes, when it was opened.
    """

    _WINDOW = 1 << 16
    _SEARCHED_AT_ONCE = 1 << 20

    def __init__(self, file: Seekable) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self._window = b""
        self._window_start = 0

    def at(self, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, fewer at the end of the file.

        Short requests are answered from a window, so that thousands of headers cost few reads.
        """
        length = max(0, min(length, self.size - start))
        offset = start - self._window_start
        if offset < 0 or offset + length > len(self._window):
            self._window_start, offset = start, 0
            self._window = self.read(start, max(length, self._WINDOW))
        return self._window[offset : offset + length]

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, fewer at the end of the file, past the window."""
        length = max(0, min(length, self.size - start))
        if length == 0:
            return b""
        self._file.seek(start)
        parts = []
        while length > 0 and (part := self._file.read(length)):  # a raw file may return less than it could
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def number(self, start: int, length: int, byteorder: str) -> int:
        """Return an unsigned integer; bytes past the end of the file count as zeros."""
        data = self.at(start, length).ljust(length, b"\0")
        return int.from_bytes(data, "little" if byteorder == "little" else "big")

    def matches(self, pattern: re.Pattern[bytes], longest: int, start: int, end: int) -> Iterator[int]:
        """Yield where a pattern of at most `longest` bytes occurs wholly in [start, end)."""
        end = min(end, self.size)
        while end - start >= 1:
            block = self.read(start, min(self._SEARCHED_AT_ONCE, end - start))
            is_last = len(block) < self._SEARCHED_AT_ONCE
            # A match that the block may cut is left to the next block.
            kept = len(block) if is_last else len(block) - longest + 1
            for match in pattern.finditer(block):
                if match.start() < kept:
                    yield start + match.start()
            if is_last:
                break
            start += kept
