"""Corpora, and clusters for them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import soundfile

pytest.importorskip("distributed", reason="needs pyvocsep[corpus]")
pytest.importorskip("fsspec")

import pyvocsep
from pyvocsep.corpus.recordings import Recording
from pyvocsep.corpus.settings import Settings

SECONDS = 120  # for a cluster to do a step: far more than it needs, even on a busy machine


@pytest.fixture(scope="session")
def settings(model: Path) -> Settings:
    return Settings.of(str(model))


@pytest.fixture
def songs(tmp_path: Path, mixture: Any) -> Path:
    """Six short recordings in a tree, one of them cut short; beside them what is no audio or no recording."""
    folder = tmp_path / "songs"
    (folder / "a/b").mkdir(parents=True)
    names = ["one.wav", "two.flac", "a/three.ogg", "a/b/four.mp3", "a/b/five.aiff"]
    for number, name in enumerate(names):
        soundfile.write(folder / name, mixture(6_000 + 3_000 * number, seed=number).T, 44_100)
    soundfile.write(folder / "cut.wav", mixture(20_000).T, 44_100)
    (folder / "cut.wav").write_bytes((folder / "cut.wav").read_bytes()[:40_000])
    (folder / "not.mp3").write_text("Dear diary, " * 100)
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / ".hidden.wav").write_bytes((folder / "one.wav").read_bytes())
    return folder


def recording(source: str = "song.wav", version: str = "1", size: int = 1000) -> Recording:
    name = source.rpartition(".")[0]
    outputs = {stem: f"{name}.{stem}.wav" for stem in ("vocals", "accompaniment")}
    return Recording(source, version, outputs, size)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too, but for the manifest."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def samples(folder: Path) -> dict[str, tuple[int, str, bytes]]:
    """The sound of all files below a folder; the files themselves hold the time when they were made."""
    found = {}
    for name in contents(folder):
        with soundfile.SoundFile(folder / name) as file:
            dtype = "int16" if file.subtype == "PCM_16" else "float32"
            found[name] = file.samplerate, file.subtype, file.read(dtype=dtype).tobytes()
    return found


def separated(songs: Path, model: Path) -> dict[str, Any]:
    """What single calls of `process` give."""
    for song in songs.rglob("[!.]*.*"):
        with suppress(pyvocsep.AudioFileError):
            pyvocsep.process(song, model=model, output_dir=Path("expected", song.relative_to(songs)).parent)
    return samples(Path("expected"))


def records(folder: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    found = {line["source"]: line for line in lines if "source" in line}
    assert len(found) == len(lines) - 1
    return found


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of a server that speaks S3."""
    pytest.importorskip("s3fs")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    urlopen(
        f"http://{host}:{port}/moto-api/reset", data=b""
    ).close()  # servers of a process share their buckets
    s3fs.S3FileSystem().mkdir("music")
    yield "s3://music"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """Mount a disk of a size, as "40k"; yields a function that changes it. Skips where that is forbidden."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        yield lambda size: run_command("mount", "-o", f"remount,size={size}", str(folder))
    finally:
        run_command("umount", str(folder))


def run_command(*command: str) -> None:
    subprocess.run(command, check=True)


@pytest.fixture
def connect_anew() -> Iterator[Callable[[], Any]]:
    """A function that returns a client of a new cluster in this process, with a thread."""
    import dask
    import distributed

    clusters = []

    def connect() -> Any:
        cluster = distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        )
        clusters.append(cluster)
        return distributed.Client(cluster, set_as_default=False)

    with dask.config.set({"distributed.admin.log-format": "%(message)s"}):
        yield connect
    for cluster in clusters:
        cluster.close()
