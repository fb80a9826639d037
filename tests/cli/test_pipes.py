"""Pipes in and out of the command, as a shell connects them."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.files.reader import AudioReader

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")

SECONDS = 60  # for a command to end: far more than it needs, even on a busy machine
RATE = 44_100


@pytest.fixture
def song(tmp_path: Path, mixture) -> Path:
    soundfile.write(tmp_path / "song.wav", mixture(100_000).T, RATE, "PCM_16")
    return tmp_path / "song.wav"


@pytest.fixture
def command(model: Path) -> list[str]:
    return [sys.executable, "-m", "pyvocsep", "--model", str(model), "--stem", "vocals"]


@pytest.fixture
def vocals(song: Path, model: Path) -> np.ndarray:
    return pyvocsep.process(song, model=model).vocals


def run(command: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    result = subprocess.run(command, input=data, capture_output=True, check=False, timeout=SECONDS)
    assert b"Traceback" not in result.stderr
    return result


def decoded(data: bytes) -> np.ndarray:
    """The samples of a WAV stream, as the reader of this package takes them."""
    with AudioReader(io.BytesIO(data)) as reader:
        assert reader.sample_rate == RATE
        assert reader.faults == ()
        return np.concatenate(list(reader.blocks(RATE)), axis=1)


def encoded(audio: np.ndarray, format: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio.T, RATE, subtype, format=format)
    return file.getvalue()


def test_wav_in_and_wav_out(song, command, vocals) -> None:
    result = run([*command, "-", "-o", "-"], song.read_bytes())
    assert result.returncode == 0
    assert result.stderr.startswith(b"standard input: 0:02 in ")
    assert result.stdout[:8] == b"RIFF\xff\xff\xff\xff"
    np.testing.assert_array_equal(decoded(result.stdout), vocals)


def test_other_formats_in_and_out(song, command, model) -> None:
    data = encoded(soundfile.read(song)[0].T, "MP3")
    Path("copy").write_bytes(data)
    expected = pyvocsep.process("copy", model=model)
    result = run([*command, "-", "-o", "-", "-q", "--format", "flac", "--subtype", "PCM_24"], data)
    assert (result.returncode, result.stderr) == (0, b"")
    found, rate = soundfile.read(io.BytesIO(result.stdout))
    assert (rate, found.shape) == (RATE, (100_000, 2))
    np.testing.assert_allclose(found.T, expected.vocals, rtol=0, atol=2**-23)


def test_raw_samples(song, command, vocals) -> None:
    audio, _ = soundfile.read(song, dtype="float32")
    result = run([*command, "-", "-o", "-", "-q", "--raw", f"{RATE},2"], audio.astype("<f4").tobytes())
    assert (result.returncode, result.stderr) == (0, b"")
    np.testing.assert_array_equal(np.frombuffer(result.stdout, "<f4").reshape(-1, 2).T, vocals)
    result = run(
        [*command, "-", "-o", "-", "--raw", f"{RATE},2", "--format", "wav"], audio.tobytes() + b"xyz"
    )
    assert result.returncode == 3
    assert b"warning: standard input: cut short: the last 3 bytes are no whole sample" in result.stderr
    np.testing.assert_array_equal(decoded(result.stdout), vocals)
    result = run([*command, str(song), "-o", "-", "-q", "--format", "raw"], b"")
    np.testing.assert_array_equal(np.frombuffer(result.stdout, "<f4").reshape(-1, 2).T, vocals)


def test_standard_input_from_a_file_can_be_read_anywhere(song, command, model) -> None:
    audio, rate = soundfile.read(song)
    soundfile.write("song.mp3", audio, rate)
    expected = pyvocsep.process("song.mp3", model=model).vocals
    for name in ("-", "/dev/stdin"):
        with open("song.mp3", "rb") as file:
            result = subprocess.run(
                [*command, name, "-o", "-", "-q"],
                stdin=file,
                capture_output=True,
                check=True,
                timeout=SECONDS,
            )
        np.testing.assert_array_equal(decoded(result.stdout), expected)


def test_a_song_from_a_pipe_into_a_folder(song, command, vocals) -> None:
    assert run([*command, "-", "-o", "out", "-q"], song.read_bytes()).returncode == 0
    data, _ = soundfile.read("out/stdin.vocals.wav", dtype="float32")
    np.testing.assert_array_equal(data.T, vocals)
    assert Path("out/stdin.vocals.wav").read_bytes()[:4] == b"RIFF"


def test_named_pipes_two_at_a_time(song, command, vocals) -> None:
    for name in ("a.wav", "b.wav"):
        os.mkfifo(name)
    writers = [
        threading.Thread(target=Path(name).write_bytes, args=(song.read_bytes(),))
        for name in ("a.wav", "b.wav")
    ]
    with subprocess.Popen(
        [*command, "a.wav", "b.wav", "-o", "out", "--jobs", "2", "-q"], stderr=subprocess.PIPE
    ) as process:
        for writer in writers:
            writer.start()
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, b"")
    for name in ("a", "b"):
        np.testing.assert_array_equal(soundfile.read(f"out/{name}.vocals.wav", dtype="float32")[0].T, vocals)


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="bash")
def test_process_substitution(song, command, vocals) -> None:
    line = f"{' '.join(command)} <(cat {song}) -o out -q --name v"
    subprocess.run(["/bin/bash", "-c", line], check=True, timeout=SECONDS)
    np.testing.assert_array_equal(soundfile.read("out/v.wav", dtype="float32")[0].T, vocals)


def test_process_reads_a_named_pipe(song, model, vocals) -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_bytes, args=(song.read_bytes(),))
    writer.start()
    stems = pyvocsep.process("pipe", model=model)
    writer.join()
    np.testing.assert_array_equal(stems.vocals, vocals)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", b"the pipe is empty"),
        (np.random.default_rng(0).bytes(300_000), b"the pipe brings no audio that can be read"),
    ],
    ids=["empty", "noise"],
)
def test_what_is_no_sound(data, reason, command) -> None:
    result = run([*command, "-", "-o", "-"], data)
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"pyvocsep: standard input: " + reason)
    assert len(result.stderr.splitlines()) == 1


def test_a_header_that_promises_more_than_comes(song, command) -> None:
    result = run([*command, "-", "-o", "-"], song.read_bytes()[:200_044])
    assert result.returncode == 3
    assert b"warning: standard input: cut short: only 1.13 s of 2.27 s are there" in result.stderr
    assert decoded(result.stdout).shape == (2, 50_000)


def test_nobody_reads_to_the_end(song, command, tmp_path) -> None:
    """As `| head -c 100` does: no complaint, and the status of a process that died of it."""
    with subprocess.Popen(
        [*command, str(song), "-o", "-", "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(100)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(SECONDS) == 128 + signal.SIGPIPE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full")
def test_a_full_disk_behind_standard_output(song, command) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [*command, str(song), "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=SECONDS,
        )
    assert (result.returncode, result.stderr) == (
        1,
        b"pyvocsep: standard output: no space left on device\n",
    )


def test_a_closed_standard_output(song, command) -> None:
    line = f"{' '.join(command)} {song} -o - >&-"
    result = subprocess.run(["/bin/sh", "-c", line], stderr=subprocess.PIPE, check=False, timeout=SECONDS)
    assert (result.returncode, result.stderr) == (2, b"pyvocsep: standard output is closed\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-", "song.wav", "-o", "-"], "-o - takes one file, not 2"),
        (["-", "--files-from", "-", "-o", "out"], "standard input cannot be a song and the list"),
    ],
)
def test_wrong_usage(arguments, reason, song, command) -> None:
    result = run([*command, *arguments], song.read_bytes())
    assert (result.returncode, result.stdout) == (2, b"")
    assert reason.encode() in result.stderr


def test_a_list_of_files_from_a_pipe(song, command) -> None:
    assert run([*command, "--files-from", "-", "-o", "out", "-q"], b"song.wav\0").returncode == 0
    assert Path("out/song.vocals.wav").exists()


def until(condition) -> None:
    while not condition():
        time.sleep(0.02)


@pytest.mark.parametrize("where", ["a silent input", "in the middle", "a named pipe", "a full output"])
def test_an_interrupt_while_a_pipe_is_waited_for(where, song, command) -> None:
    number = signal.SIGTERM if where == "a silent input" else signal.SIGINT
    source, target, data = {
        "a silent input": ("-", "out", b""),
        "in the middle": ("-", "out", song.read_bytes()[:300_000]),
        "a named pipe": ("fifo.wav", "out", b""),
        "a full output": (str(song), "-", b""),
    }[where]
    os.mkfifo("fifo.wav")
    with subprocess.Popen(
        [*command, source, "-o", target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(data)
        process.stdin.flush()
        if where == "a full output":
            assert process.stdout is not None
            assert process.stdout.read(10)
        elif where == "in the middle":
            until(lambda: list(Path().glob("out/.*.part")))
        else:
            until(lambda: Path("out").exists())
        process.send_signal(number)
        assert process.wait(SECONDS) == 128 + number
        assert process.stderr is not None
        assert process.stderr.read() == b"pyvocsep: interrupted\n"
        process.stdin.close()
    assert not list(Path().glob("out/*"))
    assert not list(Path().glob("out/.*"))
