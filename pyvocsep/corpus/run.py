"""The driver: keeps every worker busy, retries what may pass, and begins again where a cluster was lost."""

from __future__ import annotations

import asyncio
import heapq
import queue
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count, repeat

import distributed
from distributed.scheduler import KilledWorker

from pyvocsep.console import uninterrupted
from pyvocsep.corpus.cluster import Connect, close
from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.outcome import Outcome, Status, reason_of
from pyvocsep.corpus.recordings import Recording

_TICK_S = 0.5
_COUNT_S = 2.0
_FETCH_S = 5.0
"""How long fetching outcomes, which are small, may take: those of a worker that died never come."""
_WAITING_PER_THREAD = 2
"""Recordings at a worker for each of its threads: one in work, the other so that it never waits."""
_BUNDLE_S = 60.0
"""Seconds of audio in a task of several short recordings: it costs the scheduler no more than a long one."""
_TASKS_PER_THREAD = 8
"""Tasks that are left for each thread at least, so that joining does not unbalance the end."""
_PAUSE_S = 2.0
"""Before a second attempt; before each later one it is twice as long."""

Separate = Callable[[Recording], Outcome]


class NoRoomError(CorpusError):
    """The disk is full: nothing more can be written."""


@dataclass(order=True)
class _Retry:
    due: float
    number: int
    work: _Work = field(compare=False)


@dataclass
class _Work:
    recording: Recording
    attempts: int = 0
    is_suspect: bool = False
    """Whether a worker may have died of it."""


class Run:
    """Separates recordings on a cluster.

    Args:
        connect: returns a client, and is called again when the cluster was lost.
        separate: what a worker does, with a recording; it can be pickled.
        retries: more attempts on a recording for a reason that may pass.
        ended: called with each recording, the outcome of its last attempt, and how many there were.
        tick: called at least every second, with the number of the cluster's threads; may raise NoRoomError.
    """

    def __init__(
        self,
        connect: Connect,
        separate: Separate,
        *,
        retries: int,
        ended: Callable[[Recording, Outcome, int], object],
        tick: Callable[[int], object],
    ) -> None:
        self._connect = connect
        self._separate = separate
        self._retries = retries
        self._ended = ended
        self._tick = tick
        self._events: queue.SimpleQueue[distributed.Future[list[Outcome]]] = queue.SimpleQueue()
        self._running: dict[str, list[_Work]] = {}
        self._futures: dict[str, distributed.Future[list[Outcome]]] = {}
        self._left_s = 0.0
        self._no_room: NoRoomError | None = None
        self._later: list[_Retry] = []
        self._numbers = count()
        self._suspects: deque[_Work] = deque()
        self._name = secrets.token_hex(4)
        self._submitted = 0
        self._threads = 0
        self._counted_at = 0.0

    def __call__(self, client: distributed.Client, recordings: Sequence[Recording]) -> None:
        """Separate all, in this order; returns when each has ended. Closes the client.

        Raises NoRoomError on a full disk: what was not done then has not ended. CorpusError if the cluster
        is lost and does not come back.
        """
        waiting = deque(map(_Work, recordings))
        self._left_s = sum(each.guessed_seconds for each in recordings)
        try:
            while self._running or (self._no_room is None and (waiting or self._later or self._suspects)):
                try:
                    # Dask's futures have destructors, in which an interrupt would be lost.
                    with uninterrupted(once=True):
                        self._count(client)
                        if self._no_room is None:  # otherwise only what has begun is waited for
                            self._submit(client, waiting)
                            self._tell_time()
                        self._take(client)
                except _LostClusterError:
                    waiting.extendleft(
                        work for works in reversed(self._running.values()) for work in reversed(works)
                    )
                    self._running.clear()
                    self._futures.clear()
                    close(client)
                    if self._no_room is None:
                        time.sleep(_TICK_S)
                        client = self._connect()
            if self._no_room is not None:
                raise self._no_room
        finally:
            close(client)

    def _tell_time(self) -> None:
        try:
            self._tick(self._threads)
        except NoRoomError as error:
            self._no_room = error

    def _count(self, client: distributed.Client) -> None:
        """Look after the cluster: is it there, and how large?"""
        if client.status != "running":
            raise _LostClusterError
        if time.monotonic() - self._counted_at > _COUNT_S:
            try:
                self._threads = sum(client.nthreads().values())
            except Exception as error:
                raise _LostClusterError from error
            self._counted_at = time.monotonic()

    def _submit(self, client: distributed.Client, waiting: deque[_Work]) -> None:
        while self._later and self._later[0].due <= time.monotonic():
            waiting.appendleft(heapq.heappop(self._later).work)
        room = max(1, _WAITING_PER_THREAD * self._threads) - len(self._running)
        bundles = []
        # One suspect at a time, and alone: if workers die again, it is known of which.
        if self._suspects and not any(work.is_suspect for works in self._running.values() for work in works):
            bundles.append([self._suspects.popleft()])
        while waiting and len(bundles) < room:
            bundles.append(self._bundle(waiting))
        if not bundles:
            return
        keys = [f"separate-{self._name}-{self._submitted + number}" for number in range(len(bundles))]
        self._submitted += len(bundles)
        tasks = [[work.recording for work in works] for works in bundles]
        try:  # all at once: each message to the scheduler costs milliseconds
            futures = client.map(partial(_each, self._separate), tasks, key=keys, pure=False)
        except Exception as error:
            waiting.extendleft(work for works in reversed(bundles) for work in reversed(works))
            raise _LostClusterError from error
        for future, key, works in zip(futures, keys, bundles, strict=True):
            self._running[key] = works
            self._futures[key] = future  # Dask forgets what nobody holds
            future.add_done_callback(self._events.put)

    def _bundle(self, waiting: deque[_Work]) -> list[_Work]:
        """Take the next recordings for one task: one, or several short ones."""
        longest = min(_BUNDLE_S, self._left_s / max(1, _TASKS_PER_THREAD * self._threads))
        works = [waiting.popleft()]
        seconds = works[0].recording.guessed_seconds
        while waiting and seconds + waiting[0].recording.guessed_seconds <= longest:
            works.append(waiting.popleft())
            seconds += works[-1].recording.guessed_seconds
        self._left_s -= seconds
        return works

    def _take(self, client: distributed.Client) -> None:
        """Wait for recordings that have ended, and take all of them: each fetch costs milliseconds."""
        events = []
        with suppress(queue.Empty):
            events.append(self._events.get(timeout=_TICK_S))
            while True:
                events.append(self._events.get_nowait())
        ours = [future for future in events if str(future.key) in self._running]  # not of a lost cluster
        status = {str(future.key): future.status for future in ours}  # it changes in another thread
        finished = [future for future in ours if status[str(future.key)] == "finished"]
        failed = [future for future in ours if status[str(future.key)] == "error"]
        fetch = partial(client.gather, finished, asynchronous=True)
        try:
            outcomes = client.sync(fetch, callback_timeout=_FETCH_S)
            errors = [future.exception() for future in failed]
        except (Exception, asyncio.CancelledError) as error:
            raise _LostClusterError from error
        for future, its_outcomes in zip(finished, outcomes, strict=True):
            self._end(future, its_outcomes)
        for future, failure in zip(failed, errors, strict=True):
            self._end(future, repeat(_outcome_of(failure)))
        if "cancelled" in status.values():
            raise _LostClusterError
        for future in ours:
            # The worker died before its outcome was fetched: another one makes it again.
            if status[str(future.key)] in ("pending", "lost"):
                future.add_done_callback(self._events.put)

    def _end(self, future: distributed.Future[list[Outcome]], outcomes: Iterable[Outcome]) -> None:
        del self._futures[str(future.key)]
        for work, outcome in zip(self._running.pop(str(future.key)), outcomes, strict=False):
            self._end_one(work, outcome)

    def _end_one(self, work: _Work, outcome: Outcome) -> None:
        work.attempts += 1
        if outcome.status is Status.KILLED and (not work.is_suspect or work.attempts <= self._retries):
            work.is_suspect = True
            self._suspects.append(work)
        elif outcome.status in (Status.TROUBLED, Status.FULL) and work.attempts <= self._retries:
            pause = _PAUSE_S * 2 ** (work.attempts - 1)
            heapq.heappush(self._later, _Retry(time.monotonic() + pause, next(self._numbers), work))
        elif outcome.status is Status.FULL:
            self._no_room = NoRoomError(f"{work.recording.source}: {outcome.reason}")
        else:
            self._ended(work.recording, outcome, work.attempts)


def _each(separate: Separate, recordings: Sequence[Recording]) -> list[Outcome]:
    """Separate several recordings; runs on a worker."""
    outcomes = []
    for recording in recordings:
        try:
            outcomes.append(separate(recording))
        except Exception as error:
            outcomes.append(Outcome(Status.TROUBLED, reason_of(error)))
    return outcomes


def _outcome_of(error: BaseException) -> Outcome:
    if isinstance(error, KilledWorker):
        return Outcome(Status.KILLED, "the workers that had it died, one after the other; out of memory?")
    return Outcome(Status.TROUBLED, reason_of(error))


class _LostClusterError(Exception):
    """The scheduler is gone, or has forgotten what it was given."""
