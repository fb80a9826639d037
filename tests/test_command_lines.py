"""Whole command lines, sensible and not: a status, a line for each problem, and nothing else is touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyvocsep import cli

FILES = [
    "song.wav", "./song.wav", "mono.flac", "sub/song.wav", "cut.wav", "empty.wav", "text.mp3",
    "missing.wav", "sub", "song.vocals.wav", "mine.vocals.wav", "mine.wav", "歌.ogg", "", "-", ".",
    "*.wav", "n*.x", "song.wav/", "x" * 300, "new\nline", "../song.wav", "a\udcffb.wav",
]  # fmt: skip
OPTIONS = {
    "-o": ["out", "out/a/b", "song.wav", "", ".", "/proc/x", "sub", "o" * 300],
    "--stem": ["vocals", "accompaniment", "drums", ""],
    "--format": ["wav", "flac", "ogg", "mp3", "aiff", "wma", "WAV"],
    "--subtype": ["PCM_16", "float", "VORBIS", "PCM_99", ""],
    "--name": [
        "{name}.{stem}", "{stem}", "{name}", "{", "{name.x}", "{0}", "{stem}/{name}", "", "../{name}{stem}",
        "x", "{name}.{ext}.{stem}",
    ],
    "--existing": ["ours", "skip", "error", "all"],
    "--mix": ["-12", "61", "nan", "loud"],
    "--quality": ["9", "11", "x"],
    "--bitrate": ["192", "-1"],
    "--channels": ["front", "back"],
    "--raw": ["44100,2", "44100"],
    "--files-from": ["text.mp3", "list.txt", "missing"],
    "--report": ["report.jsonl", "song.wav", "sub", "list.txt"],
    "--jobs": ["1", "2", "0", "-1", "1e9", "x", "²"],
    "--threads": ["1", "2", "0", "99999999999999999999"],
    "--model": ["band-gru", "nonsense", "", "text.mp3", "sub"],
    "--precision": ["float32", "float16"],
}  # fmt: skip
FLAGS = ["-q", "--strict", "--nonsense", "--", "--stem", "--output=out", "--na", "--help", "--version"]

ARGUMENTS = st.lists(
    st.one_of(
        st.sampled_from(FILES).map(lambda file: [file]),
        st.sampled_from(FILES[:2]).map(lambda file: [file]),
        st.sampled_from([(option, value) for option, values in OPTIONS.items() for value in values]).map(
            list
        ),
        st.sampled_from(FLAGS).map(lambda flag: [flag]),
    ),
    max_size=6,
).map(lambda groups: [word for group in groups for word in group])


@pytest.fixture(scope="module")
def originals(tmp_path_factory, mixture) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    (folder / "sub").mkdir()
    soundfile.write(folder / "song.wav", mixture(3000).T, 44_100)
    soundfile.write(folder / "sub/song.wav", mixture(3000).T, 44_100)
    soundfile.write(folder / "mine.wav", mixture(3000).T, 44_100)
    soundfile.write(folder / "mine.vocals.wav", mixture(3000).T, 44_100)
    soundfile.write(folder / "mono.flac", mixture(3000, 1).T, 8_000)
    soundfile.write(folder / "歌.ogg", mixture(3000).T, 48_000)
    (folder / "cut.wav").write_bytes((folder / "song.wav").read_bytes()[:9000])
    (folder / "empty.wav").touch()
    (folder / "text.mp3").write_text("Dear diary, " * 100)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(arguments=ARGUMENTS)
@example(arguments=["song.wav", "--report", "list.txt"])
def test_any_command_line(arguments, originals, tmp_path, model, capsys, monkeypatch) -> None:
    folder = tmp_path / "box/inner"
    shutil.rmtree(folder.parent, ignore_errors=True)
    shutil.copytree(originals, folder)
    monkeypatch.chdir(folder)
    before = contents(folder)
    try:
        status = cli.main(["--model", str(model), *arguments])
    except SystemExit as exit:
        status = int(exit.code or 0) or (0 if {"--help", "--version"} & set(arguments) else -1)
    output = capsys.readouterr()
    after = contents(folder.parent)
    assert status in (0, 1, 2, 3)
    problems = output.err.splitlines()
    assert all(line.startswith("pyvocsep: ") for line in problems)
    assert bool(problems) is (status != 0)
    assert not [name for name in after if name.rpartition("/")[2].startswith(".")]
    assert all(after[f"inner/{name}"] == data for name, data in before.items())
    new = after.keys() - {f"inner/{name}" for name in before}
    if status == 2:
        assert not new
        assert len(problems) == 1
    for report in [name for name in new if name.endswith((".jsonl", ".txt"))]:
        new.remove(report)
        assert all("status" in json.loads(line) for line in after[report].splitlines())
    for name in new:
        with soundfile.SoundFile(folder.parent / name) as stem:
            assert stem.frames > 0
            assert stem.software.startswith("pyvocsep")
