"""What all visitors of the page share: the queue and the finished songs. One for the process."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from pyvocsep.web import settings
from pyvocsep.web.cache import SizedCache
from pyvocsep.web.jobs import Job, Jobs
from pyvocsep.web.songs import Request, Song, separate


class Service:
    """Separates songs for visitors.

    Args:
        limits: see `settings.Settings`.
    """

    def __init__(self, limits: settings.Settings) -> None:
        self.limits = limits
        self._songs: SizedCache[Song] = SizedCache(round(1e6 * limits.cache_mb))
        self.jobs: Jobs[Song] = Jobs(self._songs, limits.workers, limits.queue, limits.patience_s)

    def submit(self, request: Request, visitor: Hashable) -> Job:
        """Return the job that separates this; the same for the same content, model and precision.

        Raises Refusal where the queue is full.
        """
        return self.jobs.submit(
            request.key, visitor, lambda report: separate(request, self.limits.max_minutes, report)
        )

    def song(self, key: Hashable) -> Song | None:
        """Return a finished song, or None if it had to make room for others."""
        return self._songs.get(key)

    def song_by_token(self, token: str) -> Song | None:
        """Return the finished song that a browser knows by its secret."""
        return self._songs.find(lambda song: song.token == token)

    def close(self) -> None:
        """Give up what is under way."""
        self.jobs.close()


_lock = threading.Lock()
_service: Service | None = None


def service() -> Service:
    """Return the process's service, made with the settings in force when it is first asked for."""
    global _service
    with _lock:
        if _service is None:
            _service = Service(settings.current())
        return _service


def close() -> None:
    """Close the process's service, if there is one; the next call of `service` makes another."""
    global _service
    with _lock:
        closing, _service = _service, None
    if closing is not None:
        closing.close()
