"""Files that can only be read from the front: pipes."""

from __future__ import annotations

import tempfile
from typing import IO, Any

from pyvocsep.files.structure import UnreadableError

_COPIED_AT_ONCE = 1 << 20
_KEPT = 256


class ForwardFile:
    """A binary file, read from the front, whose next bytes can be looked at before they are taken.

    It is a `ByteSource` too, of which each request begins where the last one ended, or a little before:
    decoders read a few bytes of samples to see what they are.

    Args:
        file: with a `read(size)` that returns bytes, none at the end.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._ahead = b""
        self._behind = b""
        self._position = 0

    def peek(self, length: int) -> bytes:
        """Return the next `length` bytes, fewer at the end, and leave them there."""
        if length > len(self._ahead):
            self._ahead += self._from_file(length - len(self._ahead))
        return self._ahead[:length]

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes, fewer at the end."""
        data, self._ahead = self._ahead[:length], self._ahead[length:]
        if len(data) < length:
            data += self._from_file(length - len(data))
        self._position += len(data)
        self._behind = (self._behind + data[-_KEPT:])[-_KEPT:]
        return data

    def read(self, start: int, length: int) -> bytes:
        """Return what `take` does; ValueError if `start` is not about where the last request ended."""
        back = self._position - start
        if not 0 <= back <= len(self._behind):
            raise ValueError(f"byte {start} of a pipe, which is at byte {self._position}")
        if back:
            self._ahead, self._behind = self._behind[-back:] + self._ahead, self._behind[:-back]
            self._position = start
        return self.take(length)

    def drain(self) -> None:
        """Read to the end, so that whoever writes the pipe is not told that it is broken."""
        while self.take(_COPIED_AT_ONCE):
            pass

    def spooled(self) -> IO[bytes]:
        """Copy all that is left to a temporary file, which has no name and is gone when it is closed.

        Raises OSError where the folder for temporary files (TMPDIR) has no room for it.
        """
        spool = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
        try:
            while data := self.take(_COPIED_AT_ONCE):
                spool.write(data)
            spool.flush()
        except OSError as error:
            spool.close()
            if error.errno is None:
                raise
            where = f"{tempfile.gettempdir()} (temporary copy of a pipe; TMPDIR names another folder)"
            raise OSError(error.errno, error.strerror, where) from error
        except BaseException:
            spool.close()
            raise
        return spool

    def _from_file(self, length: int) -> bytes:
        parts = []
        while length > 0:
            part = self._file.read(length)
            if part is None:
                raise UnreadableError("the file is in non-blocking mode; it must wait for what is written")
            if not part:
                break
            parts.append(part)
            length -= len(part)
        return b"".join(parts)
