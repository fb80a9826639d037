"""The command as a process: closed streams, vanishing listeners, crashes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from pyvocsep.console import Bar, Lines, ended_like_interrupted, uninterrupted

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX shells")


@pytest.fixture
def song(tmp_path: Path, mixture) -> Path:
    soundfile.write(tmp_path / "song.wav", mixture(20_000).T, 44_100)
    return tmp_path / "song.wav"


def shell(command: str, model: Path) -> subprocess.CompletedProcess[str]:
    program = f"{sys.executable} -m pyvocsep --model {model}"
    return subprocess.run(
        ["sh", "-c", command.replace("pyvocsep", program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def stems() -> set[str]:
    return {path.name for path in Path("out").iterdir()}


BOTH = {"song.vocals.wav", "song.accompaniment.wav"}


@pytest.mark.parametrize(
    "streams", ["2>&-", ">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">&2 2>&-"]
)
def test_streams_that_are_closed_or_full(streams, song, model) -> None:
    result = shell(f"pyvocsep song.wav -o out {streams}", model)
    assert result.returncode == 0
    assert stems() == BOTH
    complaint = "pyvocsep: standard output: No space left on device; the stems are not affected\n"
    if streams == ">&2 2>&-":  # the line for stdout comes where stderr was
        assert "x real time" in result.stderr
    else:
        assert result.stderr == (complaint if streams == ">/dev/full" else "")


def test_a_problem_is_no_other_one_if_nobody_hears_it(song, model) -> None:
    assert shell("pyvocsep missing.wav -o out 2>&-", model).returncode == 1
    assert shell("pyvocsep missing.wav --nonsense 2>/dev/full", model).returncode == 2


def test_a_listener_that_leaves(song, model) -> None:
    result = shell("(pyvocsep song.wav -o out; echo $? >status) | true", model)
    assert Path("status").read_text() == "0\n"
    assert stems() == BOTH
    assert result.stderr == ""


def test_a_hangup_is_ignored_under_nohup(song, model) -> None:
    result = shell("trap '' HUP; pyvocsep song.wav -o out & sleep 0.2; kill -HUP $!; wait $!", model)
    assert result.returncode == 0
    assert stems() == BOTH


CRASH = """
import signal
from pyvocsep import cli
from pyvocsep.cli import batch
def crash(*_, **__):
    signal.raise_signal(signal.{signal})
batch.separate_to_files = crash
cli.main(["song.wav"])
"""


@pytest.mark.parametrize("number", ["SIGSEGV", "SIGABRT", "SIGFPE"])
def test_a_crash_is_never_mute(number, song) -> None:
    result = subprocess.run(
        [sys.executable, "-c", CRASH.format(signal=number)], capture_output=True, text=True, check=False
    )
    assert result.returncode < 0
    assert "Fatal Python error" in result.stderr
    assert "in crash" in result.stderr


class Gone:
    """A stream whose reader has gone."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def fileno(self) -> int:
        raise ValueError("no file")

    def isatty(self) -> bool:
        return True


def test_lines_and_bars_never_fail(monkeypatch) -> None:
    lines = Lines(Gone())  # type: ignore[arg-type]
    lines.print("one")
    lines.print("two")
    assert isinstance(lines.error, BrokenPipeError)
    monkeypatch.setattr(sys, "stderr", Gone())
    with Bar("song.wav", hidden=False) as bar:
        bar.show(0, 10)
        bar.show(5, 10)
    assert bar.done == 5


@pytest.fixture
def _signals_by_default() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("_signals_by_default")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_what_must_not_be_interrupted(number: signal.Signals) -> None:
    steps = []

    def work() -> None:
        with ended_like_interrupted():
            with uninterrupted():
                os.kill(os.getpid(), number)
                steps.append("done")
            steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert steps == ["done"]


@pytest.mark.usefixtures("_signals_by_default")
def test_a_signal_is_not_lost_in_what_fails_or_in_a_destructor() -> None:
    class Signals:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    def work() -> None:
        with uninterrupted():
            Signals()
            raise OSError

    with pytest.raises(KeyboardInterrupt):
        work()


@pytest.mark.usefixtures("_signals_by_default")
def test_a_second_signal_need_not_wait() -> None:
    steps = []

    def work() -> None:
        with uninterrupted(once=True):
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("held back")
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["held back"]
