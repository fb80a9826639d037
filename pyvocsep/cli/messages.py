"""What the command says: results, problems, and what became of each file."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pyvocsep.clock import clock
from pyvocsep.console import Lines

_FIRST_BYTES = b'{"file": '


class Console:
    """Prints results on stdout and problems on stderr, a line each."""

    def __init__(self) -> None:
        self._results, self._problems = Lines(sys.stdout), Lines(sys.stderr)

    def leave_stdout(self) -> None:
        """Print results on stderr too: stdout carries sound."""
        self._results = self._problems

    def say(self, text: str) -> None:
        """Print a result."""
        self._results.print(text)

    def complain(self, text: str) -> None:
        """Print a problem."""
        self._problems.print(f"pyvocsep: {text}")

    def finish(self) -> None:
        """Tell if results could not be printed; who closes a pipe, as `head` does, knows."""
        error = self._results.error
        if error is not None and error.errno != errno.EPIPE and self._results is not self._problems:
            self.complain(f"standard output: {error.strerror}; the stems are not affected")


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        file: as it was given.
        status: "done", "incomplete" (done, as far as a damaged file can be), "skipped" or "failed".
        reason: why it was skipped, a phrase, or failed, a sentence that names the file it is about.
        outputs: path of each stem.
        seconds: of audio.
        elapsed: seconds of work.
        warnings: sentences.
    """

    file: str
    status: str
    reason: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    elapsed: float = 0.0
    warnings: tuple[str, ...] = ()


class Report:
    """A file of outcomes, a line of JSON each, written as they come; a context manager.

    Args:
        path: of the file, None for none. One that is there is replaced if it is such a report, or empty.

    Raises OSError if it cannot be written, or is in the way, and ValueError for "-".
    """

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = None
        self._lock = threading.Lock()
        if path is None:
            return
        if path == Path("-"):
            raise ValueError("--report needs the path of a file; /dev/stdout is one")
        if path.is_file() and path.stat().st_size > 0:
            with path.open("rb") as there:
                if there.read(len(_FIRST_BYTES)) != _FIRST_BYTES:
                    reason = "exists, and is not replaced since it is no report; choose another name"
                    raise FileExistsError(errno.EEXIST, reason, str(path))
        self._file = path.open("w", encoding="utf-8")

    def add(self, outcome: Outcome) -> None:
        """Write a line; OSError if the system refuses."""
        if self._file is None:
            return
        values = {
            "file": outcome.file,
            "status": outcome.status,
            "reason": outcome.reason,
            "outputs": dict(outcome.outputs),
            "audio_seconds": round(outcome.seconds, 3),
            "elapsed_seconds": round(outcome.elapsed, 3),
            "warnings": list(outcome.warnings),
        }
        with self._lock:
            self._file.write(json.dumps(values) + "\n")
            self._file.flush()

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


class Summary:
    """Counts the outcomes of a batch."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self._outcomes.append(outcome)

    def lines(self, elapsed: float) -> list[str]:
        """Return what is printed after a batch of more than one file: counts, speed, and what failed, why.

        Args:
            elapsed: seconds that the batch took.
        """
        if len(self._outcomes) < 2:
            return []
        counts = {
            "separated": self._with("done", "incomplete"),
            "skipped": self._with("skipped"),
            "failed": self._with("failed"),
        }
        parts = [f"{len(outcomes)} {what}" for what, outcomes in counts.items() if outcomes]
        incomplete = self._with("incomplete")
        if incomplete:
            parts[0] += f" ({len(incomplete)} of them damaged)"
        seconds = sum(outcome.seconds for outcome in counts["separated"])
        speed = f"; {speed_of(seconds, elapsed)}" if counts["separated"] else ""
        failures = [f"  failed: {line_of(outcome)}" for outcome in counts["failed"]]
        return [", ".join(parts) + speed, *failures]

    def _with(self, *statuses: str) -> list[Outcome]:
        return [outcome for outcome in self._outcomes if outcome.status in statuses]


def line_of(outcome: Outcome) -> str:
    """Return what became of a file in one line that begins with the file or folder it is about."""
    if outcome.status == "failed":
        return outcome.reason or outcome.file
    if outcome.status == "skipped":
        return f"{outcome.file}: skipped, {outcome.reason}"
    return f"{outcome.file}: {speed_of(outcome.seconds, outcome.elapsed)}"


def speed_of(seconds: float, elapsed: float) -> str:
    """Return how long so many seconds of audio took, and how much faster than real time that is."""
    return f"{clock(seconds)} in {elapsed:.1f} s, {seconds / max(elapsed, 1e-9):.0f} x real time"


def message(error: BaseException, file: str | None = None) -> str:
    """Return an error as one line that begins with the file or folder it is about."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror[0].lower()}{error.strerror[1:]}"
    expected = isinstance(error, OSError | ValueError | RuntimeError | ImportError)
    text = str(error) if expected else f"{type(error).__name__}: {error}"
    return text if file is None or text.startswith(file) else f"{file}: {text}"
