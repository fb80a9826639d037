"""A file for those who want a path, of bytes that should not be stored."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def memory_file(data: bytes) -> Iterator[Path]:
    """Yield a path at which `data` can be read until the context is left.

    On Linux it is a file that exists in memory only, so that nothing stays behind even if the process is
    killed. Elsewhere it is a temporary file that only this user can read.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("pyvocsep")
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "recording")
            path.write_bytes(data)
            yield path
