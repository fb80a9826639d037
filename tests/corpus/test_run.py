"""The driver on a real Dask cluster, in this process: retries, a full disk, a cluster that is lost."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections import Counter
from typing import Any

import pytest

from corpus.conftest import recording
from pyvocsep.corpus.cluster import quiet
from pyvocsep.corpus.outcome import Outcome, Status, reason_of, status_of
from pyvocsep.corpus.recordings import Recording
from pyvocsep.corpus.run import NoRoomError, Run
from pyvocsep.errors import AudioFileError

RECORDINGS = [recording(f"{number}.wav") for number in range(6)]

attempts: Counter[str] = Counter()
order: list[str] = []
may_go_on = threading.Event()


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts.clear()
    order.clear()
    may_go_on.clear()
    monkeypatch.setattr("pyvocsep.corpus.run._PAUSE_S", 0.01)


def succeed(recording: Recording) -> Outcome:
    attempts[recording.source] += 1
    order.append(recording.source)
    return Outcome(Status.DONE)


def troubled_at_first(recording: Recording) -> Outcome:
    succeed(recording)
    if recording.source == "2.wav" and attempts["2.wav"] < 3:
        return Outcome(Status.TROUBLED, "the network")
    return Outcome(Status.DONE)


def always_troubled(recording: Recording) -> Outcome:
    succeed(recording)
    if recording.source == "2.wav":
        raise ConnectionError("what no one foresaw")
    return Outcome(Status.FAILED if recording.source == "3.wav" else Status.DONE, "no audio")


def full(recording: Recording) -> Outcome:
    succeed(recording)
    return Outcome(Status.FULL if recording.source == "2.wav" else Status.DONE, "no space left on device")


def wait(recording: Recording) -> Outcome:
    succeed(recording)
    assert may_go_on.wait(60)
    return Outcome(Status.DONE)


class Ended(dict[str, tuple[Outcome, int]]):
    """What became of recordings; none ends twice."""

    def __call__(self, recording: Recording, outcome: Outcome, attempts: int) -> None:
        assert recording.source not in self
        self[recording.source] = outcome, attempts


def separate_all(connect: Any, separate: Any, retries: int = 2, tick: Any = lambda threads: None) -> Ended:
    ended = Ended()
    Run(connect, separate, retries=retries, ended=ended, tick=tick)(connect(), RECORDINGS)
    assert len(ended) == len(RECORDINGS)
    return ended


def test_each_is_separated_once_in_order(connect_anew: Any) -> None:
    ended = separate_all(connect_anew, succeed)
    assert order == [each.source for each in RECORDINGS]
    assert {(outcome.status, attempts) for outcome, attempts in ended.values()} == {(Status.DONE, 1)}


def test_short_recordings_share_tasks(connect_anew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(
        Run,
        "_end",
        lambda run, future, outcomes, end=Run._end: (sizes.append(len(outcomes)), end(run, future, outcomes)),
    )
    many = [recording(f"{number}.wav", size=176_400 * 20) for number in range(60)]
    ended = Ended()
    Run(connect_anew, succeed, retries=2, ended=ended, tick=lambda threads: None)(connect_anew(), many)
    assert order == [each.source for each in many]
    assert len(ended) == 60
    assert sizes[0] == 3  # a minute
    assert sizes[-1] == 1
    assert sizes == sorted(sizes, reverse=True)


def test_what_may_pass_is_tried_again(connect_anew: Any) -> None:
    ended = separate_all(connect_anew, troubled_at_first)
    assert attempts == {each.source: 3 if each.source == "2.wav" else 1 for each in RECORDINGS}
    assert ended["2.wav"] == (Outcome(Status.DONE), 3)


def test_what_does_not_pass_is_given_up_with_its_reason(connect_anew: Any) -> None:
    ended = separate_all(connect_anew, always_troubled, retries=1)
    assert ended["2.wav"] == (Outcome(Status.TROUBLED, "ConnectionError: what no one foresaw"), 2)
    assert ended["3.wav"] == (Outcome(Status.FAILED, "no audio"), 1)
    assert attempts["4.wav"] == 1


def test_a_full_disk_ends_the_run(connect_anew: Any) -> None:
    with pytest.raises(NoRoomError, match=r"2\.wav: no space left"):
        separate_all(connect_anew, full, retries=1)
    assert attempts["2.wav"] == 2


@pytest.mark.parametrize("is_manifest", [False, True])
def test_on_a_full_disk_what_has_begun_is_waited_for(connect_anew: Any, is_manifest: bool) -> None:
    """Else a worker would write after the driver has cleaned up."""

    def tick(threads: int) -> None:
        if is_manifest and order:
            raise NoRoomError("manifest.jsonl")

    ended = Ended()
    separate = succeed if is_manifest else full
    with pytest.raises(NoRoomError):
        Run(connect_anew, separate, retries=0, ended=ended, tick=tick)(connect_anew(), RECORDINGS)
    assert len(order) < len(RECORDINGS)
    assert set(order) - {"2.wav"} == ended.keys() - {"2.wav"}


def test_a_lost_cluster_is_replaced(connect_anew: Any) -> None:
    clients = []

    def connect() -> Any:
        clients.append(connect_anew())
        return clients[-1]

    def tick(threads: int) -> None:
        if len(clients) == 1 and attempts:
            clients[0].close()
            may_go_on.set()

    ended = separate_all(connect, wait, tick=tick)
    assert len(clients) == 2
    assert {attempts for _, attempts in ended.values()} == {1}


def test_outcomes_that_are_lost_with_their_worker_are_made_again(connect_anew: Any) -> None:
    client = connect_anew()
    lost = []

    def tick(threads: int) -> None:
        if lost or not order:
            return
        lost.append(client.status)
        while any(state.status == "pending" for state in client.futures.values()):
            time.sleep(0.01)  # until the driver could fetch what its worker has
        client.cluster.scale(0)
        while any(state.status == "finished" for state in client.futures.values()):
            time.sleep(0.01)
        client.cluster.scale(1)

    separate_all(lambda: client, succeed, tick=tick)
    assert max(attempts.values()) == 2


def test_outcomes_that_never_come_are_not_waited_for(
    connect_anew: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a terminal ends the workers too, perhaps just before their outcomes are fetched."""
    monkeypatch.setattr("pyvocsep.corpus.run._FETCH_S", 2.0)
    quiet()  # as the command's clusters do: the lost fetch would be reported when this process ends
    clients = []

    def connect() -> Any:
        client = connect_anew()
        clients.append(client)
        if len(clients) == 1:
            gather = client.gather

            async def gather_too_late(futures: Any) -> Any:
                for worker in client.cluster.workers.values():
                    await worker.close()
                return await gather(futures, asynchronous=True)

            client.gather = lambda futures, *, asynchronous: gather_too_late(futures)
        return client

    separate_all(connect, succeed)
    assert len(clients) == 2


def test_what_dask_leaves_behind_is_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    loggers = [logging.getLogger(name) for name in ("distributed", "asyncio")]
    for logger in loggers:
        caplog.set_level(logging.INFO, logger.name)
    quiet()
    assert not any(logger.isEnabledFor(logging.ERROR) for logger in loggers)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), Status.FULL, "/x: no space left on device"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Status.FULL, "disk quota exceeded"),
        (OSError(errno.EIO, "Input/output error"), Status.TROUBLED, "input/output error"),
        (ConnectionResetError(errno.ECONNRESET, "Reset"), Status.TROUBLED, "reset"),
        (RuntimeError("odd"), Status.TROUBLED, "RuntimeError: odd"),
        (MemoryError(), Status.TROUBLED, "MemoryError"),
        (AudioFileError("song.wav", "contains no audio"), Status.FAILED, "contains no audio"),
        (ValueError("too fast"), Status.FAILED, "too fast"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), Status.FAILED, "/x: permission denied"),
    ],
)
def test_what_an_error_means(error: Exception, status: Status, reason: str) -> None:
    assert status_of(error) is status
    assert reason_of(error) == reason
