"""What a hundred machines would do with a corpus: times measured here, a cluster simulated.

python bench/simulate_corpus.py
"""

from __future__ import annotations

import heapq
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import distributed
import numpy as np
import soundfile
from numpy.typing import NDArray

from pyvocsep.corpus.manifest import Manifest, Record
from pyvocsep.corpus.outcome import Outcome, Status
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import Recording, list_recordings
from pyvocsep.corpus.run import _BUNDLE_S, _TASKS_PER_THREAD, _WAITING_PER_THREAD, Run
from pyvocsep.corpus.settings import Settings
from pyvocsep.corpus.work import Task, separate

RATE = 44_100
LENGTHS_S = [5, 10, 20, 40, 80]
REPEATS = 4
RECORDINGS = 2000
CORES = 16
MACHINES = [1, 10, 100]
MACHINE_SPREAD = 0.1
"""Standard deviation of the logarithm of the machines' speeds: assumed, with one machine to measure."""

Durations = NDArray[np.float64]


@dataclass(frozen=True)
class Times:
    """What was measured, in seconds of CPU time: it depends less on what else the machine does.

    Attributes:
        recording_s: for a recording of no length.
        second_s: for each second of audio.
        spread: standard deviation of the logarithm of a recording's time, over repetitions.
        task_s: of the driver and the scheduler, for each task.
        record_s: of the driver, for each recording in a task.
        start_s: of a worker's process, until it has loaded the model.
    """

    recording_s: float
    second_s: float
    spread: float
    task_s: float
    record_s: float
    start_s: float


def measure() -> Times:
    """Measure on this machine."""
    lengths, times = _work_times()
    slope, intercept = np.polyfit(np.repeat(lengths, REPEATS), times.ravel(), 1)
    spread = float(np.mean(np.std(np.log(times), axis=1)))
    alone, joined = (_driver_time(seconds) for seconds in (_BUNDLE_S + 1, _BUNDLE_S / 20))
    (tasks, alone_s), (fewer_tasks, joined_s) = alone, joined
    task_s = (alone_s - joined_s) / (tasks - fewer_tasks)
    record_s = (joined_s - task_s * fewer_tasks) / RECORDINGS
    return Times(max(0.0, float(intercept)), float(slope), spread, task_s, record_s, _start_time())


def _work_times() -> tuple[Durations, Durations]:
    """Separate files of several lengths, from a file to two; (lengths,) and the times (lengths, repeats)."""
    with tempfile.TemporaryDirectory() as folder:
        noise = 0.1 * np.random.default_rng(0).standard_normal((max(LENGTHS_S) * RATE, 2), np.float32)
        for seconds in LENGTHS_S:
            Path(folder, "songs").mkdir(exist_ok=True)
            soundfile.write(Path(folder, "songs", f"{seconds}.wav"), noise[: seconds * RATE], RATE, "PCM_16")
        settings = Settings.of()
        task = Task(Place(f"{folder}/songs"), Place(f"{folder}/stems"), settings)
        recordings = list_recordings(task.source, task.target, settings).recordings[::-1]
        separate(recordings[0], task, settings.model)
        times = np.empty((len(recordings), REPEATS))
        for repeat in range(REPEATS):
            for number, recording in enumerate(recordings):
                started = time.process_time()
                outcome = separate(recording, task, settings.model)
                times[number, repeat] = time.process_time() - started
                assert outcome.status is Status.DONE
    return np.array(LENGTHS_S, float), times


def nothing(recording: Recording) -> Outcome:
    return Outcome(Status.DONE)


def _driver_time(seconds: float) -> tuple[int, float]:
    """CPU time of this process, which holds driver, scheduler and manifest, for recordings without work.

    `seconds` of audio is what the driver takes each of them for. Returns how many tasks it made, and the
    time.
    """
    size = int(seconds * 176_400)
    recordings = [
        Recording(f"{number}.wav", "", {"vocals": f"{number}.vocals.wav"}, size)
        for number in range(RECORDINGS)
    ]
    settings = Settings.of()
    with (
        tempfile.TemporaryDirectory() as folder,
        distributed.LocalCluster(2, threads_per_worker=50, host="127.0.0.1", silence_logs=50) as cluster,
    ):
        manifest = Manifest(Place(folder), settings)

        def ended(recording: Recording, outcome: Outcome, attempts: int) -> None:
            manifest.add(Record.of(recording, settings.fingerprint, outcome, attempts))

        def connect() -> distributed.Client:
            return distributed.Client(cluster, set_as_default=False)

        def tick(threads: int) -> None:
            manifest.keep()

        Run(connect, nothing, retries=0, ended=ended, tick=tick)(connect(), recordings[:200])
        run = Run(connect, nothing, retries=0, ended=ended, tick=tick)
        started = time.process_time()
        run(connect(), recordings)
        return run._submitted, time.process_time() - started


def _start_time() -> float:
    code = "import pyvocsep.corpus.work as work; work.check_model('band-gru')"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tempfile.gettempdir())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def makespan(lengths: Iterable[float], workers: int, times: Times, seed: int = 0) -> float:
    """Return when the last recording is done, in seconds, if they are handed out in this order.

    Driver and scheduler are one server, for one task at a time, of one recording or several short ones. It
    hands a task to the worker that will be free first; at most two for each worker are under way.
    """
    rng = np.random.default_rng(seed)
    machines = np.exp(MACHINE_SPREAD * rng.standard_normal(math.ceil(workers / CORES)))
    free = [(times.start_s, worker) for worker in range(workers)]
    under_way: list[float] = []
    server = last = 0.0
    for task in _tasks(list(lengths), workers):
        if len(under_way) == _WAITING_PER_THREAD * workers:
            server = max(server, heapq.heappop(under_way))
        server += times.task_s + times.record_s * len(task)
        free_at, worker = heapq.heappop(free)
        work = (times.recording_s * len(task) + times.second_s * sum(task)) * machines[worker // CORES]
        end = max(free_at, server) + work * math.exp(times.spread * rng.standard_normal())
        heapq.heappush(free, (end, worker))
        heapq.heappush(under_way, end)
        last = max(last, end)
    return last


def _tasks(lengths: list[float], workers: int) -> Iterator[list[float]]:
    """Join short recordings as the driver does."""
    left = sum(lengths)
    position = 0
    while position < len(lengths):
        longest = min(_BUNDLE_S, left / (_TASKS_PER_THREAD * workers))
        end, seconds = position + 1, lengths[position]
        while end < len(lengths) and seconds + lengths[end] <= longest:
            seconds += lengths[end]
            end += 1
        yield lengths[position:end]
        left -= seconds
        position = end


def corpora() -> dict[str, Durations]:
    """Lengths of recordings in seconds, in the order of their names."""
    rng = np.random.default_rng(1)

    def around(median: float, spread: float, count: int) -> Durations:
        return median * np.exp(spread * rng.standard_normal(count))

    return {
        "200 000 songs of about 4 min": around(230, 0.35, 200_000),
        "200 000 clips of about 10 s": around(10, 0.3, 200_000),
        "20 000 broadcasts of about 1 h": around(3600, 0.6, 20_000),
        "3 000 recordings, 1 min to 8 h": np.exp(rng.uniform(math.log(60), math.log(8 * 3600), 3000)),
    }


def table(times: Times) -> list[str]:
    """Return the simulated clusters as a table in Markdown."""
    lines = [
        "| corpus | machines | time | of ideal | in the order of names |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, lengths in corpora().items():
        work = float(np.sum(times.recording_s + times.second_s * lengths))
        guessed = lengths * np.exp(0.2 * np.random.default_rng(2).standard_normal(len(lengths)))
        longest_first = lengths[np.argsort(-guessed)]
        for machines in MACHINES:
            workers = machines * CORES
            ideal = work / workers
            ordered, unordered = (
                makespan(each.tolist(), workers, times) for each in (longest_first, lengths)
            )
            shares = " | ".join(f"{100 * ideal / each:.0f} %" for each in (ordered, unordered))
            lines.append(f"| {name} | {machines} | {_duration(ordered)} | {shares} |")
            name = ""
    return lines


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def main() -> None:
    """Measure, simulate, print."""
    times = measure()
    print(f"a second of audio   {1e3 * times.second_s:.2f} ms, {1 / times.second_s:.0f} x real time")
    print(f"a recording         {1e3 * times.recording_s:.1f} ms")
    print(f"spread of a time    {100 * times.spread:.1f} %")
    print(
        f"driver, scheduler   {1e3 * times.task_s:.2f} ms a task, {1e3 * times.record_s:.2f} ms a recording"
    )
    print(f"start of a worker   {times.start_s:.2f} s")
    print(*table(times), sep="\n")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
