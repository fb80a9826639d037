"""The `pyvocsep` command: what it writes, says and returns."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from model_files import random_band_gru

import pyvocsep
from pyvocsep import cli
from pyvocsep.separation import Told

Command = Callable[..., tuple[int, list[str], list[str]]]
SUMMARY = re.compile(r"\d+ (separated|skipped|failed)")


@pytest.fixture
def folder(tmp_path: Path, mixture, monkeypatch) -> Path:
    """A working directory with two songs."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", mixture(100_000).T, 44_100, "PCM_16")
    soundfile.write("other.flac", mixture(30_000, 1).T, 48_000)
    return tmp_path


@pytest.fixture
def run(folder: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command with the small model; return its status, its lines on stdout up to the summary, and
    those on stderr."""

    def run(*arguments: str, model: Path | str = model) -> tuple[int, list[str], list[str]]:
        status = cli.main(["--model", str(model), *arguments])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        lines = list(takewhile(lambda line: not SUMMARY.match(line), output.out.splitlines()))
        return status, lines, output.err.splitlines()

    return run


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_song_becomes_two_files_beside_it(run, folder, model) -> None:
    status, out, err = run("song.wav")
    assert (status, err) == (0, [])
    assert len(out) == 1
    assert out[0].startswith("song.wav: 0:02 in ")
    assert out[0].endswith(" x real time")
    assert files(folder) == {"song.wav", "other.flac", "song.vocals.wav", "song.accompaniment.wav"}
    expected = pyvocsep.process("song.wav", model=model)
    for stem in ("vocals", "accompaniment"):
        data, _ = soundfile.read(f"song.{stem}.wav", dtype="float32", always_2d=True)
        np.testing.assert_array_equal(data.T, getattr(expected, stem))


def test_options(run, folder) -> None:
    names = ["--stem", "vocals", "--name", "{stem}-of-{name}"]
    how = ["-o", "new/out", "--format", "flac", "--threads", "2", "--jobs", "2", "-q"]
    assert run("song.wav", "other.flac", *names, *how) == (0, [], [])
    assert files(folder / "new") == {"out/vocals-of-song.flac", "out/vocals-of-other.flac"}
    assert soundfile.info("new/out/vocals-of-song.flac").subtype == "PCM_16"
    assert (
        run("song.wav", "-o", "s", "--subtype", "pcm_24", "--stem", "vocals", "--stem", "vocals", "-q")[0]
        == 0
    )
    assert soundfile.info("s/song.vocals.wav").subtype == "PCM_24"


def test_help_and_version(run, capsys) -> None:
    for option, text in [("--help", "song.vocals.wav"), ("--version", pyvocsep.__version__)]:
        with pytest.raises(SystemExit) as caught:
            cli.main([option])
        assert caught.value.code == 0
        assert text in capsys.readouterr().out


def test_warnings_are_one_line_each(run, folder, mixture) -> None:
    audio = 5 * mixture(30_000)
    audio[0, 7] = np.nan
    soundfile.write("loud.wav", audio.T, 44_100, "FLOAT")
    status, _, err = run("loud.wav", "-o", "out", "--format", "flac", "--stem", "vocals")
    assert status == 0
    assert len(err) == 2
    assert err[0].startswith("pyvocsep: warning: loud.wav: 1 samples")
    assert err[1].startswith("pyvocsep: warning: out/loud.vocals.flac: the peak is")


# What is wrong with a file: one line, status 1, no part of a file, and the others are separated.


def missing(path: Path) -> str:
    return "no such file"


def empty(path: Path) -> str:
    path.write_bytes(b"")
    return "the file is empty"


def a_folder(path: Path) -> str:
    path.mkdir()
    return "no audio files in this folder"


def not_audio(path: Path) -> str:
    path.write_text("hello " * 1000)
    return "not an audio file"


def no_samples(path: Path) -> str:
    soundfile.write(path, np.zeros((0, 2)), 44_100, format="WAV")
    return "contains no audio"


def cut(format: str) -> Callable[[Path], str]:
    def make(path: Path) -> str:
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (200_000, 2))
        soundfile.write(path, noise, 44_100, format=format)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return "cut short"

    make.__name__ = f"cut_{format.lower()}"
    return make


def surround(path: Path) -> str:
    soundfile.write(path, np.zeros((100, 6)), 44_100, format="WAV")
    return "6 channels"


def rate(value: int) -> Callable[[Path], str]:
    def make(path: Path) -> str:
        soundfile.write(path, np.zeros((100, 2)), value, format="WAV")
        return f"{value} Hz"

    make.__name__ = f"rate_{value}"
    return make


def unreadable(path: Path) -> str:
    no_samples(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    return "permission denied"


BAD_FILES = [
    missing,
    empty,
    a_folder,
    not_audio,
    no_samples,
    surround,
    rate(7_999),
    rate(192_001),
    unreadable,
]
CUT_FILES = [cut(format) for format in ("WAV", "AIFF", "FLAC", "OGG", "MP3")]


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize("make", BAD_FILES, ids=lambda make: make.__name__)
def test_a_bad_file_in_a_batch(make, jobs, run, folder) -> None:
    reason = make(folder / "bad.wav")
    before = files(folder)
    status, out, err = run("song.wav", "bad.wav", "other.flac", "-o", "out", "--jobs", jobs)
    assert status == 1
    assert len(err) == 1
    assert err[0].startswith("pyvocsep: bad.wav: ")
    assert reason in err[0]
    assert len(out) == 2
    stems = {f"out/{name}.{stem}.wav" for name in ("song", "other") for stem in ("vocals", "accompaniment")}
    assert files(folder) == before | stems


@pytest.mark.parametrize("make", CUT_FILES, ids=lambda make: make.__name__)
def test_what_is_left_of_a_file_in_a_batch(make, run, folder) -> None:
    reason = make(folder / "bad.wav")
    before = files(folder)
    status, out, err = run("song.wav", "bad.wav", "other.flac", "-o", "out")
    assert (status, len(out), len(err)) == (3, 3, 1)
    assert err[0].startswith(f"pyvocsep: warning: bad.wav: {reason}")
    names = ("song", "bad", "other")
    stems = {f"out/{name}.{stem}.wav" for name in names for stem in ("vocals", "accompaniment")}
    assert files(folder) == before | stems
    status, out, err = run("song.wav", "bad.wav", "other.flac", "missing.wav", "-o", "new", "--strict")
    assert (status, len(out), len(err)) == (1, 2, 2)
    assert any(line.startswith(f"pyvocsep: bad.wav: {reason}") for line in err)
    assert not list(folder.glob("new/bad*"))


def test_what_is_left_of_a_file_and_one_that_fails(run, folder) -> None:
    cut("WAV")(folder / "bad.wav")
    status, _, err = run("bad.wav", "missing.wav", "-o", "out")
    assert (status, len(err)) == (1, 2)


def test_a_bad_file_alone_as_a_command_of_its_own(folder, model) -> None:
    # The decoders under libsndfile print remarks of their own, past Python.
    cut("MP3")(folder / "bad.mp3")
    command = [sys.executable, "-m", "pyvocsep", "bad.mp3", "--model", str(model)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert len(result.stdout.splitlines()) == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("pyvocsep: warning: bad.mp3: cut short or damaged: only ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-o", "song.wav"], "song.wav: not a folder"),
        (["-o", "song.wav/below"], "song.wav/below: not a directory"),
        (["-o", "out", "--format", "mp3"], "other.flac"),
        (["-o", "/proc/nonsense"], "/proc/nonsense: "),
    ],
)
def test_what_cannot_be_written(arguments, reason, run, folder) -> None:
    before = files(folder)
    soundfile.write("other.flac", np.zeros(1000), 96_000)
    status, out, err = run("other.flac", *arguments)
    assert (status, out) == (1, [])
    assert len(err) == 1
    assert err[0].startswith("pyvocsep: ")
    assert reason in err[0]
    assert files(folder) == before


def test_a_folder_without_permission(run, folder) -> None:
    (folder / "out").mkdir(mode=0o500)
    if os.access("out", os.W_OK):
        pytest.skip("this user may write everywhere")
    assert run("song.wav", "-o", "out") == (
        1,
        [],
        ["pyvocsep: out: cannot write in this folder (Permission denied)"],
    )


# What is there already


def test_a_second_time_in_the_same_folder(run, folder) -> None:
    assert run("song.wav")[0] == 0
    first = {name: soundfile.read(name)[0] for name in files(folder)}
    status, out, err = run(*sorted(files(folder)))
    assert (status, err) == (0, [])
    assert len(out) == 4
    assert sum("skipped, a stem that pyvocsep wrote" in line for line in out) == 2
    stems = {f"other.{stem}.wav" for stem in ("vocals", "accompaniment")}
    assert files(folder) == set(first) | stems
    for name, audio in first.items():
        np.testing.assert_array_equal(soundfile.read(name)[0], audio)
    assert run("-q", *sorted(files(folder))) == (0, [], [])


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_stems_of_every_format_are_known_again(format, run, folder) -> None:
    options = ("--format", format, "--stem", "vocals")
    assert run("song.wav", *options)[0] == 0
    status, out, err = run("song.wav", f"song.vocals.{format}", *options)
    assert (status, err) == (0, [])
    assert out[0] == f"song.vocals.{format}: skipped, a stem that pyvocsep wrote"
    assert len(out) == 2


def test_a_stem_by_itself_is_an_input(run, folder) -> None:
    assert run("song.wav")[0] == 0
    assert run("song.vocals.wav", "-q") == (0, [], [])
    assert (folder / "song.vocals.vocals.wav").exists()


@pytest.mark.parametrize("content", ["audio", "text"])
def test_nothing_is_replaced_that_somebody_else_made(content, run, folder, mixture) -> None:
    if content == "audio":
        soundfile.write("song.vocals.wav", mixture(1000).T, 44_100)
    else:
        (folder / "song.vocals.wav").write_text("notes")
    before = (folder / "song.vocals.wav").read_bytes()
    status, out, err = run("song.wav", "other.flac")
    assert (status, len(out)) == (1, 1)
    assert err == [
        "pyvocsep: song.vocals.wav: exists, and is not replaced since pyvocsep did not write it; "
        "move it, or choose another name"
    ]
    assert (folder / "song.vocals.wav").read_bytes() == before
    assert not (folder / "song.accompaniment.wav").exists()
    status, _, err = run("song.wav", "song.vocals.wav")
    assert (status, len(err)) == (2, 1)
    (folder / "song.vocals.wav").write_bytes(b"")  # a place that mktemp or touch has kept
    assert run("song.wav", "-q") == (0, [], [])


# Wrong usage: one line, status 2, nothing done.


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "FILE"),
        (["song.wav", "--nonsense"], "--nonsense"),
        (["song.wav", "--stem", "drums"], "'drums'"),
        (["song.wav", "--format", "wma"], "'wma'"),
        (["song.wav", "--subtype", "PCM_12"], "'PCM_12' for wav"),
        (["song.wav", "--format", "ogg", "--subtype", "PCM_16"], "'PCM_16' for ogg"),
        (["song.wav", "--jobs", "0"], "'0' is not a whole number above 0"),
        (["song.wav", "--threads", "two"], "'two'"),
        (["song.wav", "--name", "{title}.{stem}"], "{title}"),
        (["song.wav", "--name", "{name}"], "gives both stems one name"),
        (["song.wav", "--name", "{name}", "--stem", "vocals"], "song.wav: the stem would replace its source"),
        (
            ["song.wav", "a/song.flac", "-o", "out"],
            "song.wav and a/song.flac would both become out/song.vocals.wav",
        ),
        (["song.wav", "song.wav"], "song.wav and song.wav would both become song.vocals.wav"),
        (["song.wav", "song.vocals.wav"], "song.wav would become song.vocals.wav, which is an input too"),
    ],
)
def test_wrong_usage(arguments, reason, run, folder) -> None:
    before = files(folder)
    status, out, err = run(*arguments)
    assert (status, out) == (2, [])
    assert len(err) == 1
    assert err[0].startswith("pyvocsep: ")
    assert reason in err[0]
    assert files(folder) == before


def test_a_wrong_model(run, folder) -> None:
    (folder / "bad.safetensors").write_bytes(b"nonsense" * 100)
    for model, reason in [
        ("nonsense", "unknown model 'nonsense'"),
        ("none.safetensors", "none.safetensors: no such model file"),
        ("bad.safetensors", "bad.safetensors"),
    ]:
        status, out, err = run("song.wav", model=model)
        assert (status, out) == (2, [])
        assert len(err) == 1
        assert reason in err[0]


def test_a_wrong_instruction_set(folder, model) -> None:
    command = [sys.executable, "-m", "pyvocsep", "song.wav", "--model", str(model)]
    environment = os.environ | {"PYVOCSEP_ISA": "z80"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "z80" in result.stderr


def test_names_from_elsewhere(run, folder) -> None:
    strange = ["-song.wav", "歌.wav", "new\nline.wav", os.fsdecode(b"latin-\xe9.wav"), "100%{x}.wav"]
    for name in strange:
        (folder / name).write_bytes((folder / "song.wav").read_bytes())
    status, out, err = run("-o", "out", "--stem", "vocals", *strange[1:], "--", strange[0])
    assert (status, err) == (0, [])
    assert len(out) == len(strange)
    assert files(folder / "out") == {name.replace(".wav", ".vocals.wav") for name in strange}
    status, _, err = run("no\nsuch.wav")
    assert (status, len(err)) == (1, 1)


def test_a_bug_is_one_line_too(run, folder, monkeypatch) -> None:
    def broken(file: str, *_: object, **__: object) -> tuple[dict[str, Path], Told]:
        if file == "song.wav":
            raise ZeroDivisionError("division by zero")
        return {}, Told(seconds=0.1)

    monkeypatch.setattr("pyvocsep.cli.batch.separate_to_files", broken)
    status, out, err = run("song.wav", "other.flac")
    assert (status, len(out)) == (1, 1)
    assert err == ["pyvocsep: song.wav: ZeroDivisionError: division by zero"]


@pytest.mark.skipif(os.name != "posix", reason="POSIX terminals")
@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_sees_a_bar(quiet, folder, model) -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "pyvocsep", "song.wav", "--model", str(model), *["-q"] * quiet]
    subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.write(theirs, b"END")  # a terminal that was written nothing has nothing to read
    seen = os.read(ours, 100_000)
    assert (b"song.wav   0% |" in seen) is not quiet
    os.close(ours)
    os.close(theirs)


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupt_leaves_no_part_of_a_file(number, expected, folder, tmp_path) -> None:
    slow = random_band_gru(tmp_path / "slow.safetensors", n_fft=2048, bands=36, dim=64, blocks=6)
    for name in (
        "a.wav",
        "b.wav",
        "c.wav",
    ):  # a job for many seconds: it does not end before it is interrupted
        soundfile.write(name, np.zeros((44_100 * 600, 2), np.int16), 44_100)
    before = files(folder)
    command = [
        sys.executable,
        "-m",
        "pyvocsep",
        "a.wav",
        "b.wav",
        "c.wav",
        "--jobs",
        "2",
        "--model",
        str(slow),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while len(list(folder.glob(".*.part"))) < 4:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == expected
    assert (out, err) == ("", "pyvocsep: interrupted\n")
    assert files(folder) == before
