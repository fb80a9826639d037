"""The commands of docs/corpora.md run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import distributed
import pytest
import soundfile

from corpus.conftest import records
from pyvocsep.corpus.__main__ import main

PAGE = Path(__file__).parents[2] / "docs/corpora.md"


@pytest.mark.slow
def test_the_commands_run(bucket: str, mixture: Any, capsys: Any) -> None:
    import s3fs

    Path("songs").mkdir()
    for number in range(2):
        soundfile.write(f"songs/{number}.flac", mixture(30_000, seed=number).T, 44_100)
    s3 = s3fs.S3FileSystem()
    s3.put("songs", f"{bucket}/songs", recursive=True)
    commands = re.findall(
        r"^python -m pyvocsep\.corpus (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(commands) == 4
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        for command in commands:
            here = command.replace("tcp://head:8786", cluster.scheduler_address)
            assert main(shlex.split(here, comments=True)) == 0, capsys.readouterr()
    assert {path.name for path in Path("stems").glob("*.wav")} == {
        f"{number}.{stem}.wav" for number in range(2) for stem in ("vocals", "accompaniment")
    }
    assert {name.rpartition("/")[2] for name in s3.ls(f"{bucket}/stems")} == {
        "manifest.jsonl",
        *(f"{number}.vocals.flac" for number in range(2)),
        *(f"{number}.{stem}.wav" for number in range(2) for stem in ("vocals", "accompaniment")),
    }
    record = records(Path("stems"))["0.flac"]
    keys = {
        key
        for row in re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
    }
    assert record.keys() == keys
