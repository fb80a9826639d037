"""A corpus on Dask workers: what the cluster costs, as a share of what a loop over `process` would allow."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

pytest.importorskip("distributed")

from pyvocsep.corpus.cluster import local_cluster
from pyvocsep.corpus.outcome import Outcome, Status
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import Recording, list_recordings
from pyvocsep.corpus.run import Run
from pyvocsep.corpus.settings import Settings
from pyvocsep.corpus.work import ModelPlugin, Task, separate, separate_on_worker

RATE = 44_100
CORPORA = {"30 of 5 s": [5] * 30, "2 of 75 s": [75] * 2, "10 of 6 to 24 s": list(range(6, 25, 2))}
"""Lengths of the recordings, in seconds."""

TASKS = 300


@pytest.fixture(scope="module", params=CORPORA)
def corpus(request: Any, tmp_path_factory: pytest.TempPathFactory, audio: NDArray[np.float32]) -> Any:
    """A corpus: its name, its task, its recordings, and the seconds of a loop without a cluster."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "songs").mkdir()
    for number, seconds in enumerate(CORPORA[request.param]):
        samples = np.tile(audio, -(-seconds // 60))[:, : seconds * RATE]
        soundfile.write(folder / "songs" / f"{number}.wav", samples.T, RATE, "PCM_16")
    settings = Settings.of()
    source, target = Place(str(folder / "songs")), Place(str(folder / "loop"))
    recordings = list_recordings(source, target, settings).recordings
    task = Task(source, target, settings)
    separate(recordings[-1], task, settings.model)  # loads the model
    started = time.perf_counter()
    loop(recordings, task)
    return (
        request.param,
        Task(source, Place(str(folder / "stems")), settings),
        recordings,
        time.perf_counter() - started,
    )


def loop(recordings: list[Recording], task: Task) -> None:
    for recording in recordings:
        assert separate(recording, task, task.settings.model).status is Status.DONE


def run(connect: Any, separate: Any, recordings: list[Recording]) -> None:
    ended = []
    Run(
        connect,
        separate,
        retries=0,
        ended=lambda recording, outcome, attempts: ended.append(outcome.status),
        tick=lambda threads: None,
    )(connect(), recordings)
    assert ended == [Status.DONE] * len(recordings)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_workers(benchmark: Any, corpus: Any, workers: int) -> None:
    """From files to files, with the cluster already there; 0 workers is the loop."""
    name, task, recordings, loop_s = corpus
    benchmark.group = f"a corpus on workers: {name}"
    benchmark.extra_info["audio_seconds"] = sum(CORPORA[name])
    if workers == 0:
        benchmark.pedantic(partial(loop, recordings, task), rounds=3)
        return
    benchmark.extra_info["ideal_seconds"] = loop_s / min(workers, len(os.sched_getaffinity(0)))
    with local_cluster(ModelPlugin(task.settings), workers) as connect:
        work = partial(separate_on_worker, task=task)
        benchmark.pedantic(partial(run, connect, work, recordings), rounds=3, warmup_rounds=1)


def nothing(recording: Recording) -> Outcome:
    return Outcome(Status.DONE)


@pytest.fixture
def nothings() -> list[Recording]:
    return [Recording(f"{number}.wav", "", {"vocals": f"{number}.vocals.wav"}, 1) for number in range(TASKS)]


def test_overhead(benchmark: Any, nothings: list[Recording]) -> None:
    """Driver, scheduler and a worker, for recordings that take no time."""
    benchmark.group = "a corpus: recordings without work"
    benchmark.extra_info["recordings"] = TASKS
    with local_cluster(ModelPlugin(Settings.of()), 1) as connect:
        benchmark.pedantic(partial(run, connect, nothing, nothings), rounds=3, warmup_rounds=1)


def test_manifest(benchmark: Any, nothings: list[Recording], tmp_path: Path) -> None:
    """To keep the records of as many, on a local disk."""
    from pyvocsep.corpus.manifest import Manifest, Record

    def keep() -> None:
        manifest = Manifest(Place(str(tmp_path)), Settings.of())
        for recording in nothings:
            manifest.add(Record.of(recording, "", Outcome(Status.DONE, sizes={"vocals": 1}), 1))
            manifest.keep()

    benchmark.group = "a corpus: recordings without work"
    benchmark.extra_info["recordings"] = TASKS
    benchmark.pedantic(keep, rounds=3)
