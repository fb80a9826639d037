"""The queue: one job for equal wishes, a stated length, cancelling, sentences for what went wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from pyvocsep.web.cache import SizedCache
from pyvocsep.web.jobs import Job, Jobs, Refusal, Report, State


@dataclass(frozen=True)
class Result:
    text: str
    nbytes: int = 1


class Gate:
    """Work that waits, reporting all the while, until it is let through."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun = threading.Event()
        self.runs = 0

    def work(self, report: Report) -> Result:
        self.runs += 1
        self.begun.set()
        while not self.opened.wait(0.005):
            report(1.0, 2.0)
        report(2.0, 2.0)
        return Result("made")


@pytest.fixture
def cache() -> SizedCache[Result]:
    return SizedCache(100)


@pytest.fixture
def make(cache: SizedCache[Result]) -> Iterator[Callable[..., Jobs[Result]]]:
    made = []

    def jobs(workers: int = 1, queue: int = 2, patience_s: float = 60.0) -> Jobs[Result]:
        made.append(Jobs(cache, workers, queue, patience_s))
        return made[-1]

    yield jobs
    for each in made:
        each.close()


def wait_for(job: Job, *states: State) -> None:
    deadline = time.monotonic() + 30
    while job.state not in states:
        assert time.monotonic() < deadline, f"the job is still {job.state}"
        time.sleep(0.002)


def test_a_second_click_and_a_second_visitor_share_one_job(make: Callable[..., Jobs[Result]]) -> None:
    jobs, gate = make(), Gate()
    first = jobs.submit("song", "anna", gate.work)
    assert jobs.submit("song", "anna", gate.work) is first
    assert jobs.submit("song", "ben", gate.work) is first
    gate.opened.set()
    wait_for(first, State.DONE)
    assert gate.runs == 1
    again = jobs.submit("song", "carl", gate.work)  # from the cache
    assert again.state is State.DONE
    assert gate.runs == 1


def test_progress_and_speed(make: Callable[..., Jobs[Result]], cache: SizedCache[Result]) -> None:
    jobs, gate = make(), Gate()
    job = jobs.submit("song", "anna", gate.work)
    assert gate.begun.wait(30)
    while job.done_s == 0:
        time.sleep(0.001)
    assert (job.done_s, job.total_s) == (1.0, 2.0)
    assert job.speed > 0
    gate.opened.set()
    wait_for(job, State.DONE)
    assert job.done_s == 2.0
    assert job.speed == job.speed  # it stands still now
    assert cache.get("song") == Result("made")


def test_the_queue_has_an_end_and_positions(make: Callable[..., Jobs[Result]]) -> None:
    jobs, gate = make(queue=2), Gate()
    running = jobs.submit(0, "anna", gate.work)
    assert gate.begun.wait(30)
    waiting = [jobs.submit(number, "anna", gate.work) for number in (1, 2)]
    assert [jobs.ask(job) for job in waiting] == [0, 1]
    assert jobs.ask(running) == 0
    with pytest.raises(Refusal, match="2 songs are waiting"):
        jobs.submit(3, "anna", gate.work)
    gate.opened.set()
    for job in [running, *waiting]:
        wait_for(job, State.DONE)
    jobs.submit(3, "anna", gate.work)


@pytest.mark.parametrize("begun", [True, False])
def test_cancelling(make: Callable[..., Jobs[Result]], cache: SizedCache[Result], begun: bool) -> None:
    jobs, blocker, gate = make(), Gate(), Gate()
    if not begun:
        jobs.submit("other", "zoe", blocker.work)
    job = jobs.submit("song", "anna", gate.work)
    jobs.submit("song", "ben", gate.work)
    if begun:
        assert gate.begun.wait(30)
    jobs.cancel(job, "anna")
    time.sleep(0.05)
    assert job.is_active, "ben still waits for it"
    jobs.cancel(job, "ben")
    wait_for(job, State.CANCELLED)
    assert cache.get("song") is None
    assert gate.runs == int(begun)
    blocker.opened.set()
    gate.opened.set()
    again = jobs.submit("song", "anna", gate.work)
    wait_for(again, State.DONE)


def test_a_job_that_nobody_asks_about_ends(make: Callable[..., Jobs[Result]]) -> None:
    jobs, gate = make(patience_s=0.05), Gate()
    job = jobs.submit("song", "anna", gate.work)
    wait_for(job, State.CANCELLED)


def test_asking_keeps_a_job_alive(make: Callable[..., Jobs[Result]]) -> None:
    jobs, gate = make(patience_s=1.0), Gate()
    job = jobs.submit("song", "anna", gate.work)
    for _ in range(30):
        time.sleep(0.05)
        jobs.ask(job)
    assert job.is_active


def test_what_goes_wrong_becomes_a_sentence(make: Callable[..., Jobs[Result]]) -> None:
    jobs = make(queue=9)

    def failing(error: BaseException) -> Job:
        def work(report: Report) -> Result:
            raise error

        job = jobs.submit(repr(error), "anna", work)
        wait_for(job, State.FAILED)
        return job

    assert failing(Refusal("It is silent.")).error == "It is silent."
    assert "memory" in failing(MemoryError()).error
    unexpected = failing(KeyError("secret path /home/x")).error
    assert "went wrong" in unexpected
    assert "secret" not in unexpected


def test_closing_ends_what_runs_and_what_waits(make: Callable[..., Jobs[Result]]) -> None:
    jobs, gate = make(), Gate()
    running = jobs.submit("a", "anna", gate.work)
    assert gate.begun.wait(30)
    waiting = jobs.submit("b", "anna", gate.work)
    jobs.close()
    assert {running.state, waiting.state} == {State.CANCELLED}
