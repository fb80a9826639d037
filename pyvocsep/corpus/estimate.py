"""What a corpus will cost, by separating a few of its recordings."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyvocsep.corpus.outcome import Status
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import Recording
from pyvocsep.corpus.work import Task, separate

_MEASURE_S = 10.0


@dataclass
class _Kind:
    """What was measured of the recordings with one suffix."""

    size: int = 0
    audio_s: float = 0.0
    work_s: float = 0.0
    written: int = 0


@dataclass(frozen=True)
class Estimate:
    """What is to be expected.

    Attributes:
        audio_s: seconds of audio in all.
        core_s: seconds of one core of this machine.
        written: bytes of all stems.
        measured, measured_audio_s: recordings that were separated to know, and seconds of audio in them.
        failures: those of them that could not be separated, with reasons.
    """

    audio_s: float
    core_s: float
    written: float
    measured: int
    measured_audio_s: float
    failures: list[tuple[str, str]] = field(default_factory=list)


def estimate(recordings: Sequence[Recording], task: Task, seconds: float = _MEASURE_S) -> Estimate:
    """Separate recordings, at least one of every kind, for about so many seconds, into a temporary folder.

    The data rate and the speed of each kind, by its suffix, are extrapolated to the sizes of all.
    """
    kinds: dict[str, _Kind] = defaultdict(_Kind)
    failures = []
    measured = 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="pyvocsep-") as folder:
        trial = Task(task.source, Place(folder), task.settings)
        separate(recordings[-1], trial, task.settings.model)  # the first one loads the model and libsndfile
        for number, recording in _sample(recordings):
            if number > 0 and time.perf_counter() - started > seconds:
                break
            outcome = separate(recording, trial, task.settings.model)
            for output in recording.outputs.values():
                trial.target.remove(output)
            measured += 1
            if outcome.status is not Status.DONE:
                failures.append((recording.source, outcome.reason))
                continue
            kind = kinds[recording.suffix]
            kind.size += recording.size
            kind.audio_s += outcome.audio_s
            kind.work_s += outcome.work_s
            kind.written += sum(outcome.sizes.values())
    sizes: dict[str, int] = defaultdict(int)
    for recording in recordings:
        sizes[recording.suffix] += recording.size
    known = [(kinds[suffix], size / kinds[suffix].size) for suffix, size in sizes.items() if suffix in kinds]
    return Estimate(
        audio_s=sum(kind.audio_s * share for kind, share in known),
        core_s=sum(kind.work_s * share for kind, share in known),
        written=sum(kind.written * share for kind, share in known),
        measured=measured,
        measured_audio_s=sum(kind.audio_s for kind in kinds.values()),
        failures=failures,
    )


def _sample(recordings: Sequence[Recording]) -> list[tuple[int, Recording]]:
    """Return recordings of all kinds in turn, each with the number of its turn.

    `recordings` are in the order of their sizes. Each kind begins with the one in the middle.
    """
    kinds = defaultdict(list)
    for recording in recordings:
        kinds[recording.suffix].append(recording)
    turns = [
        (turn, members[place])
        for members in kinds.values()
        for turn, place in enumerate(_spread(len(members)))
    ]
    return sorted(turns, key=lambda turn: turn[0])


def _spread(count: int) -> list[int]:
    """Return 0 to count - 1, any beginning of it evenly spread: at 1/2, then 1/4, 3/4, then 1/8 and so on."""
    order: dict[int, None] = {}
    step = 2
    while len(order) < count:
        for part in range(1, step, 2):
            order[count * part // step] = None
        step *= 2
        if step > 4 * count:
            order.update(dict.fromkeys(range(count)))
    return list(order)


def text(estimate: Estimate, recordings: Sequence[Recording], cores: int) -> str:
    """Return the estimate as a table."""
    speed = estimate.audio_s / estimate.core_s if estimate.core_s else 0.0
    wall_s = estimate.core_s / cores
    rows = [
        (
            "recordings to do",
            f"{len(recordings)} files, {sum(each.size for each in recordings) / 1e9:.2f} GB",
        ),
        ("audio", f"about {estimate.audio_s / 3600:.2f} h"),
        ("core-hours", f"about {estimate.core_s / 3600:.3f} of cores like this machine's"),
        (f"time on {cores} cores", f"about {wall_s / 3600:.3f} h"),
        ("stems", f"about {estimate.written / 1e9:.2f} GB"),
        (
            "measured",
            f"{estimate.measured} files, {estimate.measured_audio_s / 60:.1f} min of audio, "
            f"{speed:.0f} x real time a core",
        ),
    ]
    lines = [f"{name:22} {value}" for name, value in rows]
    return "\n".join(lines + [f"failed: {source}: {reason}" for source, reason in estimate.failures])
