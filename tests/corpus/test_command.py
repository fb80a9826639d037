"""`python -m pyvocsep.corpus` on real workers, processes of their own; some are killed."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest
import soundfile

from corpus.conftest import contents, records, samples, separated, small_disk
from pyvocsep.corpus.__main__ import main
from pyvocsep.engines import registry


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers with a thread each; one that dies is replaced."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture
def run(cluster: Any, model: Path) -> Any:
    """Run the command on the cluster and return its status."""

    def run(*arguments: str | Path) -> int:
        return main([*map(str, arguments), "--scheduler", cluster.scheduler_address, "--model", str(model)])

    return run


@pytest.mark.filterwarnings("ignore::pyvocsep.AudioWarning")
def test_a_corpus_is_what_single_calls_give(
    run: Any, cluster: Any, songs: Path, model: Path, capsys: Any
) -> None:
    stems = Path("stems")
    assert run(songs, stems) == 1
    output = capsys.readouterr()
    assert samples(stems) == separated(songs, model)
    assert "7 recordings, 7 of them to do (0.00 GB); 1 other files are left alone (.jpg)" in output.out
    assert "dashboard: http://127.0.0.1:" in output.out
    assert "failed: not.mp3: not an audio file" in output.out
    assert "warning: cut.wav: " in output.err
    found = records(stems)
    assert found.keys() == {
        str(path.relative_to(songs)) for path in songs.rglob("[!.]*.*") if path.suffix != ".jpg"
    }
    assert {name for name, record in found.items() if record["status"] == "failed"} == {"not.mp3"}
    assert found["one.wav"]["audio_s"] == pytest.approx(6_000 / 44_100, abs=1e-3)
    with distributed.Client(cluster, set_as_default=False) as client:
        loads = client.run(lambda: registry._load.cache_info().misses).values()
    assert set(loads) == {1}

    # Again: what is done stays untouched; what failed is tried again.
    (songs / "not.mp3").unlink()
    soundfile.write(songs / "new.wav", [[0.1, 0.2]] * 3000, 44_100)
    times = {path: path.stat().st_mtime_ns for path in stems.rglob("*.wav")}
    assert run(songs, stems) == 0
    assert "7 recordings, 1 of them to do" in capsys.readouterr().out
    assert times.items() <= {path: path.stat().st_mtime_ns for path in stems.rglob("*.wav")}.items()
    before = (stems / "manifest.jsonl").read_bytes()
    assert run(songs, stems, "-q") == 0
    assert (stems / "manifest.jsonl").read_bytes() == before
    assert capsys.readouterr().out == ""


def test_killed_workers_lose_nothing(run: Any, cluster: Any, model: Path, mixture: Any) -> None:
    songs, stems = Path("songs"), Path("stems")
    songs.mkdir()
    for number in range(10):
        soundfile.write(songs / f"{number}.wav", mixture(150_000, seed=number).T, 44_100)
    with distributed.Client(cluster, set_as_default=False) as client:
        workers = list(client.run(os.getpid).values())

    def kill_in_the_middle() -> None:
        while not list(stems.glob("*.wav")):
            time.sleep(0.001)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    assert run(songs, stems) == 0
    killer.join()
    with distributed.Client(cluster, set_as_default=False) as client:
        assert not set(workers) & set(client.run(os.getpid).values())
    assert samples(stems) == separated(songs, model)
    assert {record["status"] for record in records(stems).values()} == {"done"}
    assert len(records(stems)) == 10


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(
    run: Any, model: Path, mixture: Any, tmp_path: Path, capsys: Any
) -> None:
    songs, disk = Path("songs"), tmp_path / "disk"
    songs.mkdir()
    for number in range(6):
        soundfile.write(songs / f"{number}.wav", mixture(10_000, seed=number).T, 44_100)
    with small_disk(disk, "400k") as resize:
        assert run(songs, disk, "--retries", "0") == 1
        output = capsys.readouterr()
        assert "stopped: " in output.err
        assert "no space left on device. Make room, then the same command does the rest" in output.err
        assert "failed                 0 files" in output.out
        assert 0 < len(list(disk.glob("*.wav"))) < 12
        assert not (disk / ".pyvocsep-corpus/parts").exists()
        resize("10m")
        assert run(songs, disk) == 0
        assert samples(disk) == separated(songs, model)
        assert len(records(disk)) == 6


def test_an_estimate(songs: Path, model: Path, capsys: Any) -> None:
    (songs / "cut.wav").unlink()
    for number in range(20):
        soundfile.write(songs / f"{number}.wav", [[0.1, 0.2]] * 44_100 * (1 + number % 2), 44_100)
    assert main([str(songs), "stems", "--dry-run", "--model", str(model), "--workers", "3"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith("26 recordings, 26 of them to do")
    assert lines[1].startswith("recordings to do 26 files")
    assert lines[2] == "audio about 0.01 h"
    assert lines[4].startswith("time on 3 cores about ")
    assert any(line.startswith("failed: not.mp3: not an audio file") for line in lines)
    assert not Path("stems").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "stems"], "nowhere"),
        (["songs", "songs/.."], "choose another"),
        (["songs", "stems", "--model", "nonsense"], "unknown model 'nonsense'"),
        (["songs", "stems", "--subtype", "PCM_99"], "unknown subtype 'PCM_99'"),
        (["songs", "nonsense://stems"], "nonsense"),
        (["songs", "full"], "line 1 is not of a manifest"),
    ],
)
def test_what_cannot_begin_says_why(songs: Path, arguments: list[str], message: str, capsys: Any) -> None:
    Path("full").mkdir()
    Path("full/manifest.jsonl").write_text("mine\n")
    before = contents(Path())
    assert main(arguments) == 2
    problems = capsys.readouterr().err
    assert problems.startswith("pyvocsep.corpus: ")
    assert message in problems
    assert len(problems.splitlines()) == 1
    assert contents(Path()) == before


def test_one_run_at_a_time_in_a_folder(songs: Path, capsys: Any) -> None:
    Path("stems").mkdir()
    folder = os.open("stems", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        assert main(["songs", "stems"]) == 2
    finally:
        os.close(folder)
    assert "another run is writing here" in capsys.readouterr().err


def test_a_missing_extra_is_named(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("pyvocsep.corpus.__main__._NEEDED", ("dask", "no_such_package"))
    assert main(["songs", "stems"]) == 2
    assert 'needs no_such_package: pip install "pyvocsep[corpus]"' in capsys.readouterr().err
