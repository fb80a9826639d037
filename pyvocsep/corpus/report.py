"""What the user sees: progress while it runs, a table in the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from tqdm import tqdm  # type: ignore[import-untyped]

from pyvocsep.clock import clock
from pyvocsep.corpus.outcome import Outcome, Status
from pyvocsep.corpus.recordings import Listing, Recording

_LINE_EVERY_S = 60.0
_REASONS = 20


class Tally:
    """Counts of a run.

    Attributes:
        done, failed: recordings.
        incomplete: of those done, how many are damaged or cut short.
        audio_s, work_s: of those done: seconds of audio, seconds of all workers together.
        failures: recordings and reasons.
    """

    def __init__(self) -> None:
        self.done = self.failed = self.incomplete = 0
        self.audio_s = self.work_s = 0.0
        self.failures: list[tuple[str, str]] = []
        self.workers: set[str] = set()
        self._started = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    @property
    def speed(self) -> float:
        """x real time."""
        return self.audio_s / max(1e-9, self.elapsed_s)

    def add(self, recording: Recording, outcome: Outcome) -> None:
        """Count a recording that has ended."""
        if outcome.status is Status.DONE:
            self.done += 1
            self.incomplete += outcome.is_incomplete
            self.audio_s += outcome.audio_s
            self.work_s += outcome.work_s
            self.workers.add(outcome.worker)
        else:
            self.failed += 1
            self.failures.append((recording.source, outcome.reason))


class Progress:
    """A bar on a terminal, else a line a minute; on stderr. A context manager.

    Args:
        tally: what to show.
        recordings: all that there is to do.
        hidden: show nothing.
    """

    def __init__(self, tally: Tally, recordings: Sequence[Recording], *, hidden: bool) -> None:
        self._tally = tally
        self._files = len(recordings)
        self._hidden = hidden
        self._has_bar = not hidden and sys.stderr.isatty()
        self._line_at = time.monotonic()
        self._bar = tqdm(
            total=max(1e-9, sum(each.guessed_seconds for each in recordings)),
            disable=not self._has_bar,
            file=sys.stderr,
            leave=False,
            bar_format="{percentage:3.0f}% |{bar:20}| {elapsed}<{remaining} {postfix}",
        )

    def step(self, recording: Recording) -> None:
        """A recording has ended."""
        self._bar.update(recording.guessed_seconds)

    def tick(self, threads: int) -> None:
        """Show where things stand."""
        if self._has_bar:
            self._bar.set_postfix_str(self._text(threads))
        elif not self._hidden and time.monotonic() - self._line_at > _LINE_EVERY_S:
            self._line_at = time.monotonic()
            print(self._text(threads), file=sys.stderr, flush=True)

    def _text(self, threads: int) -> str:
        tally = self._tally
        ended = tally.done + tally.failed
        parts = [
            f"{ended}/{self._files} files",
            f"{tally.audio_s / 3600:.2f} h of audio",
            f"{tally.speed:.0f} x real time",
            f"{threads} workers" if threads else "waiting for workers",
        ]
        return ", ".join(parts + ([f"{tally.failed} failed"] if tally.failed else []))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def found(listing: Listing, todo: Sequence[Recording]) -> str:
    """Say what is in the source, and what of it is to do."""
    total = len(listing.recordings) + len(listing.refused)
    size = sum(each.size for each in todo)
    text = f"{total} recordings, {len(todo)} of them to do ({size / 1e9:.2f} GB)"
    if listing.ignored:
        kinds = ", ".join(
            f".{suffix}" if suffix else "no suffix" for suffix, _ in listing.ignored.most_common(5)
        )
        text += f"; {listing.ignored.total()} other files are left alone ({kinds})"
    return text


def table(tally: Tally, already: int, left: int) -> str:
    """Return what was done as a table, and the reasons of what was not."""
    rows = [
        ("separated", f"{tally.done} files"),
        ("done before", f"{already} files"),
        ("failed", f"{tally.failed} files"),
        *([("not begun", f"{left} files")] if left else []),
        *([("damaged or cut short", f"{tally.incomplete} of those separated")] if tally.incomplete else []),
        ("audio", f"{tally.audio_s / 3600:.2f} h"),
        ("time", clock(tally.elapsed_s)),
        ("speed", f"{tally.speed:.0f} x real time"),
        ("core-hours", f"{tally.work_s / 3600:.3f} on {len(tally.workers)} workers"),
    ]
    lines = [f"{name:22} {value}" for name, value in rows]
    return "\n".join([*lines, *_reasons(tally.failures)])


def _reasons(failures: Iterable[tuple[str, str]]) -> list[str]:
    """The first failures, each with its reason, and how many more there are of the usual reasons."""
    every = list(failures)
    lines = [f"failed: {source}: {reason}" for source, reason in every[:_REASONS]]
    more = Counter(reason for _, reason in every[_REASONS:])
    return lines + [f"and {count} more: {reason}" for reason, count in more.most_common(5)]
