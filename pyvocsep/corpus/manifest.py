"""The record of a corpus, kept beside the stems: a line of JSON for each recording.

While a run lasts its records come as segments, small files in a hidden folder. Every file of it is written
whole or not at all, on any file system, also on those that cannot append. In the end all become one
`manifest.jsonl`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from pyvocsep import __version__
from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.outcome import Outcome, Status
from pyvocsep.corpus.places import HOUSEKEEPING, Place
from pyvocsep.corpus.recordings import Recording
from pyvocsep.corpus.settings import Settings

MANIFEST = "manifest.jsonl"

_FOLDER = f"{HOUSEKEEPING}/manifest"
_SEGMENT_LINES = 1000
_SHARE_FOR_WRITING = 0.05
"""A segment is written again as soon as that keeps the writing below this share of the time."""


@dataclass(frozen=True)
class Record:
    """What the manifest knows about one recording.

    Attributes:
        source, version: of the recording; see there.
        settings: fingerprint of those that it was separated with.
        status: "done" or "failed".
        reason: why it failed.
        notes: what was told about it, as that it is cut short.
        outputs: path and bytes of each stem.
        audio_s, work_s: seconds of audio, seconds that it took.
        attempts: how often it was tried.
        worker: the process that did it.
    """

    source: str
    version: str
    settings: str
    status: str
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    audio_s: float = 0.0
    work_s: float = 0.0
    attempts: int = 0
    worker: str = ""

    @classmethod
    def of(cls, recording: Recording, settings: str, outcome: Outcome, attempts: int) -> Record:
        """Make the record of a recording's last attempt."""
        return cls(
            recording.source,
            recording.version,
            settings,
            Status.DONE.value if outcome.status is Status.DONE else Status.FAILED.value,
            outcome.reason,
            list(outcome.notes),
            {recording.outputs[stem]: size for stem, size in outcome.sizes.items()},
            round(outcome.audio_s, 3),
            round(outcome.work_s, 3),
            attempts,
            outcome.worker,
        )

    def is_done(self, recording: Recording, settings: str, sizes: Mapping[str, int]) -> bool:
        """Tell whether a recording needs no work: it is unchanged, and was separated with these settings.

        `sizes` are the bytes of all stems that are there, by path.
        """
        return (
            self.status == Status.DONE.value
            and self.version == recording.version
            and self.settings == settings
            and set(self.outputs) == set(recording.outputs.values())
            and all(sizes.get(path) == size for path, size in self.outputs.items())
        )


class Manifest:
    """The manifest of a place for stems.

    Args:
        place: the folder of the stems.
        settings: of this run.

    Raises CorpusError if `manifest.jsonl` is not one.
    """

    def __init__(self, place: Place, settings: Settings) -> None:
        self._place = place
        self._segment = 0
        self._lines: list[str] = []
        self._unwritten = 0
        self._written_at = time.monotonic()
        self._writing_took = 0.0
        self.records: dict[str, Record] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        with suppress(FileNotFoundError):
            self._read(MANIFEST)
        names = place.names(_FOLDER)
        for name in names:
            self._read(f"{_FOLDER}/{name}")
        # Later segments come later in the order of names. Two runs into an object store may begin at once.
        number = 1 + max((int(name.partition("-")[0]) for name in names), default=0)
        self._run = f"{number:06}-{secrets.token_hex(4)}"
        facts = asdict(settings) | {"pyvocsep": __version__}
        self._settings[settings.fingerprint] = facts
        self._fingerprint = settings.fingerprint

    @property
    def unwritten(self) -> int:
        """How many records are in memory only."""
        return self._unwritten

    def add(self, record: Record) -> None:
        """Add a record, which replaces an earlier one of the same recording. `keep` writes it."""
        self.records[record.source] = record
        if not self._lines:
            self._lines.append(self._settings_line(self._fingerprint))
        self._lines.append(json.dumps(asdict(record)))
        self._unwritten += 1

    def keep(self, *, at_once: bool = False) -> None:
        """Write what was added, now or when it is time again; OSError if the place refuses."""
        if self._unwritten == 0:
            return
        started = time.monotonic()
        if not at_once and (started - self._written_at) * _SHARE_FOR_WRITING < self._writing_took:
            return
        self._place.write(f"{_FOLDER}/{self._run}-{self._segment:06}.jsonl", _as_bytes(self._lines))
        self._unwritten = 0
        self._written_at = time.monotonic()
        self._writing_took = self._written_at - started
        if len(self._lines) > _SEGMENT_LINES:
            self._segment += 1
            self._lines = []

    def finish(self) -> None:
        """Join all segments into `manifest.jsonl`; OSError if the place refuses, then the segments stay."""
        self.keep(at_once=True)
        used = {record.settings for record in self.records.values()}
        lines = [self._settings_line(fingerprint) for fingerprint in self._settings if fingerprint in used]
        lines += [json.dumps(asdict(self.records[source])) for source in sorted(self.records)]
        self._place.write(MANIFEST, _as_bytes(lines))
        self._place.remove(_FOLDER)
        self._lines = []
        self._segment += 1

    def _settings_line(self, fingerprint: str) -> str:
        return json.dumps({"settings": fingerprint, **self._settings[fingerprint]})

    def _read(self, path: str) -> None:
        for number, line in enumerate(self._place.read(path).splitlines(), 1):
            try:
                facts = json.loads(line)
                if "source" in facts:
                    self.records[facts["source"]] = Record(**facts)
                else:
                    self._settings[facts.pop("settings")] = facts
            except (ValueError, TypeError, KeyError, AttributeError):
                raise CorpusError(
                    f"{self._place.full(path)}: line {number} is not of a manifest of pyvocsep; "
                    "move the file away"
                ) from None


def _as_bytes(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
