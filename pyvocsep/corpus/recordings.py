"""Which files of a folder are recordings, what they become, and how much work they are."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.places import Entry, Place
from pyvocsep.corpus.settings import Settings
from pyvocsep.files.outputs import output_paths

_BYTES_PER_SECOND = {
    **dict.fromkeys(("wav", "wave", "rf64", "w64", "aif", "aiff", "aifc", "au", "snd", "caf"), 176_400.0),
    **dict.fromkeys(("flac", "alac", "ape", "wv", "tta"), 100_000.0),
    **dict.fromkeys(("mp3", "mp2", "ogg", "oga", "opus", "m4a", "m4b", "aac", "wma", "mpc", "ac3"), 30_000.0),
}
"""The suffixes of recordings, and a usual data rate of each. Those that cannot be decoded are tried, too, so
that they fail with a reason instead of being passed over."""


@dataclass(frozen=True)
class Recording:
    """One file to separate.

    Attributes:
        source: its path, relative to the folder it comes from.
        version: text that differs when the file was changed.
        outputs: the path of each stem, relative to the folder of the stems.
        size: in bytes.
    """

    source: str
    version: str
    outputs: dict[str, str]
    size: int

    @property
    def suffix(self) -> str:
        """The kind of file, in lower case and without the dot."""
        return suffix_of(self.source)

    @property
    def guessed_seconds(self) -> float:
        """How long it may be, by its size: enough to begin with the longest."""
        return self.size / _BYTES_PER_SECOND[self.suffix]


@dataclass(frozen=True)
class Listing:
    """What is in the source.

    Attributes:
        recordings: the longest first, by `guessed_seconds`.
        refused: recordings that cannot get outputs of their own, with the reason.
        ignored: how many other files there are, by suffix.
    """

    recordings: list[Recording]
    refused: list[tuple[Recording, str]]
    ignored: Counter[str]


def suffix_of(path: str) -> str:
    """Return a path's suffix in lower case, without the dot."""
    return posixpath.splitext(path)[1][1:].lower()


def list_recordings(source: Place, target: Place, settings: Settings) -> Listing:
    """List the recordings below `source` and where their stems go below `target`.

    The tree is kept. A `target` inside `source` is not looked into.

    Raises CorpusError if the places overlap the other way, OSError for a source that cannot be listed, and
    ValueError for stems or a pattern that cannot be.
    """
    if target.contains(source):
        raise CorpusError(
            f"{target.url}: the folder for the stems must not be, or hold, the folder of the recordings; "
            "choose another"
        )
    own = f"{target.root[len(source.full('')) :]}/" if source.contains(target) else None
    found = [entry for entry in source.find() if own is None or not entry.path.startswith(own)]
    entries = [entry for entry in found if suffix_of(entry.path) in _BYTES_PER_SECOND]
    ignored = Counter(suffix_of(entry.path) for entry in found) - Counter(
        suffix_of(entry.path) for entry in entries
    )
    recordings = [
        Recording(entry.path, entry.version, _outputs(entry, settings), entry.size)
        for entry in _in_order(entries)
    ]
    clashes = _clashes(recordings)
    refused = [(each, clashes[each.source]) for each in recordings if each.source in clashes]
    rest = [each for each in recordings if each.source not in clashes]
    rest.sort(key=lambda recording: -recording.guessed_seconds)
    return Listing(rest, refused, ignored)


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.path)


def _outputs(entry: Entry, settings: Settings) -> dict[str, str]:
    folder, name = posixpath.split(entry.path)
    paths = output_paths(Path("source", name), Path(), settings.stems, settings.suffix, settings.name_pattern)
    outputs = {
        stem: posixpath.normpath(posixpath.join(folder, path.as_posix())) for stem, path in paths.items()
    }
    for output in outputs.values():
        if output.startswith(("../", "/")):
            raise ValueError(
                f"the name pattern {settings.name_pattern!r} leads out of the folder for the stems"
            )
    return outputs


def _clashes(recordings: Sequence[Recording]) -> dict[str, str]:
    """Return the recordings that would share an output with another one, and a sentence about it."""
    sources = defaultdict(list)
    for recording in recordings:
        for output in recording.outputs.values():
            sources[output].append(recording.source)
    return {
        source: f"{' and '.join(names)} would both become {output}; choose another --name or rename one"
        for output, names in sources.items()
        if len(names) > 1
        for source in names
    }
