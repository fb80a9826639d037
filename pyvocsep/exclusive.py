"""One thread at a time in a stream."""

from __future__ import annotations

import threading


class Exclusive:
    """Keeps a second thread out: `with exclusive:` raises RuntimeError while another is inside.

    Waiting for the other thread would only hide the mistake: the two would interleave their streams.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                f"this {self._name} is busy in another thread; make one {self._name} per stream"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()
