"""Drivers, schedulers and workers that die, and buckets: slow, since each test starts processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dask
import distributed
import pytest
import soundfile

from corpus.conftest import SECONDS, recording, records, samples, separated
from pyvocsep.corpus.__main__ import main
from pyvocsep.corpus.outcome import Outcome, Status
from pyvocsep.corpus.recordings import Recording
from pyvocsep.corpus.run import Run

pytestmark = pytest.mark.slow

COUNT = 10
STEMS = Path("stems")


@pytest.fixture
def many(mixture: Any) -> Path:
    songs = Path("many")
    songs.mkdir()
    for number in range(COUNT):
        soundfile.write(songs / f"{number}.wav", mixture(150_000, seed=number).T, 44_100)
    return songs


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.01)


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def has_begun() -> bool:
    return len(list(STEMS.glob("*.wav"))) >= 2 and bool(list(STEMS.glob(".pyvocsep-corpus/manifest/*")))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_ended_early_goes_on(many: Path, model: Path, number: int) -> None:
    command = [sys.executable, "-m", "pyvocsep.corpus", many, STEMS, "--model", model, "--workers", "2"]
    run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    wait_until(has_begun)
    if number == signal.SIGINT:  # a terminal sends Ctrl-C to all of its processes
        os.killpg(run.pid, number)
    else:
        run.send_signal(number)
    _, problems = run.communicate(timeout=SECONDS)
    assert run.returncode == (-number if number == signal.SIGKILL else 128 + number)
    wait_until(partial(is_gone, run.pid))
    kept = [*STEMS.glob(".pyvocsep-corpus/manifest/*"), *STEMS.glob("manifest.jsonl")]
    lines = [json.loads(line) for path in kept for line in path.read_text().splitlines()]
    done = [STEMS / output for line in lines if "source" in line for output in line["outputs"]]
    assert 0 < len(done) < 2 * COUNT
    if number != signal.SIGKILL:
        assert problems == "pyvocsep.corpus: interrupted; the same command goes on from here\n"
        assert not (STEMS / ".pyvocsep-corpus").exists()
    times = {path: path.stat().st_mtime_ns for path in done}
    assert subprocess.run(command).returncode == 0
    assert times == {path: path.stat().st_mtime_ns for path in done}
    assert samples(STEMS) == separated(many, model)
    assert len(records(STEMS)) == COUNT


@contextmanager
def dask_process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler or a worker as they are started by hand."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_scheduler_that_is_restarted_loses_nothing(many: Path, model: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    schedule = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    work = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with ExitStack() as stack:

        def restart() -> None:
            wait_until(has_begun)
            scheduler.kill()
            scheduler.wait()
            stack.enter_context(dask_process(*schedule))
            stack.enter_context(dask_process(*work))

        scheduler = stack.enter_context(dask_process(*schedule))
        stack.enter_context(dask_process(*work))
        restarter = threading.Thread(target=restart)
        restarter.start()
        assert main([str(many), str(STEMS), "--model", str(model), "--scheduler", address]) == 0
        restarter.join()
    assert samples(STEMS) == separated(many, model)
    assert len(records(STEMS)) == COUNT


def deadly(recording: Recording) -> Outcome:
    if recording.source == "deadly.wav":
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(Status.DONE)


def test_a_recording_that_kills_its_workers_is_given_up() -> None:
    ended = {}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
    ):
        Run(
            lambda: distributed.Client(cluster, set_as_default=False),
            deadly,
            retries=0,
            ended=lambda recording, outcome, attempts: ended.update({recording.source: outcome}),
            tick=lambda threads: None,
        )(
            distributed.Client(cluster, set_as_default=False),
            [recording(name) for name in ("a.wav", "deadly.wav", "b.wav", "c.wav")],
        )
    assert "died, one after the other" in ended.pop("deadly.wav").reason
    assert {name: outcome.status for name, outcome in ended.items()} == dict.fromkeys(
        ("a.wav", "b.wav", "c.wav"), Status.DONE
    )


@pytest.mark.filterwarnings("ignore::pyvocsep.AudioWarning")
def test_from_a_bucket_to_a_bucket(bucket: str, songs: Path, model: Path, capsys: Any) -> None:
    import s3fs

    s3 = s3fs.S3FileSystem()
    s3.put(str(songs), "music/songs", recursive=True)
    command = [f"{bucket}/songs", f"{bucket}/stems", "--model", str(model), "--workers", "1"]
    assert main(command) == 1
    s3.get("music/stems", "stems", recursive=True)
    assert samples(STEMS) == separated(songs, model)
    assert records(STEMS)["not.mp3"]["reason"].endswith("ffmpeg -i music/songs/not.mp3 music/songs/not.wav")
    assert not [name for name in s3.find("music") if "pyvocsep-corpus" in name]

    # Again: nothing but what failed; a song that changed is separated anew.
    s3.rm("music/songs/not.mp3")
    soundfile.write("one.wav", [[0.1, 0.2]] * 3000, 44_100)
    s3.put("one.wav", "music/songs/one.wav")
    capsys.readouterr()
    assert main(command) == 0
    assert "6 recordings, 1 of them to do" in capsys.readouterr().out
    s3.get("music/stems/one.vocals.wav", "one.vocals.wav")
    assert soundfile.info("one.vocals.wav").frames == 3000
