"""The queue of a page with many visitors: bounded, cancellable, one job for those who want the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic

from pyvocsep.web.cache import SizedCache, Value

Report = Callable[[float, float], None]
"""What work calls with the seconds of audio done and in all. It raises `Cancelled` to end the work."""


class Cancelled(Exception):  # noqa: N818  (not an error: somebody wished it)
    """Nobody waits for this job any more."""


class Refusal(ValueError):  # noqa: N818
    """Something cannot be done; the message is a sentence for the visitor."""


class State(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    """One separation that somebody waits for.

    Attributes:
        key: what is to be made: equal keys are one job.
        state: see `State`.
        done_s, total_s: seconds of audio.
        error: the sentence for a failed job's visitors.
    """

    key: Hashable
    state: State = State.WAITING
    done_s: float = 0.0
    total_s: float = 0.0
    error: str = ""
    visitors: set[Hashable] = field(default_factory=set)
    asked_at: float = field(default_factory=time.monotonic)
    started_at: float = 0.0
    ended_at: float = 0.0

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (State.WAITING, State.RUNNING)

    @property
    def speed(self) -> float:
        """Seconds of audio per second, 0 before it runs."""
        elapsed = (self.ended_at or time.monotonic()) - self.started_at
        return self.done_s / elapsed if self.started_at and elapsed > 0 else 0.0


class Jobs(Generic[Value]):
    """Runs jobs on a few threads and keeps what they make in a bounded cache.

    Args:
        cache: where results go, under their job's key.
        workers: how many jobs run at a time.
        queue: how many more may wait.
        patience_s: a job that no visitor has asked about for so long is given up.
    """

    def __init__(self, cache: SizedCache[Value], workers: int, queue: int, patience_s: float) -> None:
        self._cache = cache
        self._queue = queue
        self._patience_s = patience_s
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="separation")
        self._workers = workers
        self._jobs: dict[Hashable, tuple[Job, Future[None]]] = {}  # active ones, in the order they came
        self._lock = threading.Lock()

    def submit(self, key: Hashable, visitor: Hashable, work: Callable[[Report], Value]) -> Job:
        """Return the job of this key: the one under way, a finished one if the cache has the result, or a new
        one that runs `work`.

        Raises Refusal where the queue is full.
        """
        with self._lock:
            if key in self._jobs:
                job, _ = self._jobs[key]
                job.visitors.add(visitor)
                job.asked_at = time.monotonic()
                return job
            if self._cache.get(key) is not None:
                return Job(key, State.DONE)
            waiting = len(self._jobs) - self._workers
            if waiting >= self._queue:
                raise Refusal(
                    f"The page is busy: {waiting} songs are waiting, and no more can. Try again in a minute."
                )
            job = Job(key, visitors={visitor})
            self._jobs[key] = job, self._pool.submit(self._run, job, work)
            return job

    def ask(self, job: Job) -> int:
        """Return how many jobs come before this one; tells that somebody still waits for it."""
        job.asked_at = time.monotonic()
        with self._lock:
            before = 0
            for other, _ in self._jobs.values():
                if other is job:
                    return before
                before += other.state is State.WAITING
            return 0

    def cancel(self, job: Job, visitor: Hashable) -> None:
        """One visitor waits no more. The job ends if nobody else does."""
        with self._lock:
            job.visitors.discard(visitor)
            if job.visitors or job.key not in self._jobs:
                return
            kept, future = self._jobs[job.key]
            if kept is job and future.cancel():  # it had not begun
                self._end(job, State.CANCELLED)

    def join(self) -> None:
        """Wait until no job is active."""
        while futures := [future for _, future in list(self._jobs.values())]:
            wait(futures)

    def close(self) -> None:
        """Give up all jobs, and wait until those under way have ended."""
        with self._lock:
            for job, future in list(self._jobs.values()):
                job.visitors.clear()
                if future.cancel():
                    self._end(job, State.CANCELLED)
        self._pool.shutdown()

    def _run(self, job: Job, work: Callable[[Report], Value]) -> None:
        def report(done_s: float, total_s: float) -> None:
            self._check_wanted(job)
            job.done_s, job.total_s = done_s, total_s

        state = State.FAILED
        try:
            self._check_wanted(job)
            job.started_at = time.monotonic()
            job.state = State.RUNNING
            result = work(report)
            self._check_wanted(job)
            self._cache.put(job.key, result)
            state = State.DONE
        except Cancelled:
            state = State.CANCELLED
        except Refusal as refusal:
            job.error = str(refusal)
        except MemoryError:
            job.error = "There is not enough memory for a recording of this length."
        except Exception:
            job.error = (
                "Something went wrong here, not in your file. The one who runs this page sees the details."
            )
            raise
        finally:
            with self._lock:
                self._end(job, state)

    def _check_wanted(self, job: Job) -> None:
        if not job.visitors or time.monotonic() - job.asked_at > self._patience_s:
            raise Cancelled

    def _end(self, job: Job, state: State) -> None:
        job.ended_at = time.monotonic()
        job.state = state
        self._jobs.pop(job.key, None)
