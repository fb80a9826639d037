"""Which files a command is about: names, folders, patterns and lists."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from pyvocsep.arrays import STEMS
from pyvocsep.cli.options import PIPE
from pyvocsep.files.formats import SUBTYPES
from pyvocsep.files.outputs import MIX, output_paths
from pyvocsep.files.ownership import is_ours

_SUFFIXES = frozenset(
    (
        *(
            "wav",
            "wave",
            "flac",
            "ogg",
            "oga",
            "opus",
            "mp3",
            "mp2",
            "mpga",
            "aiff",
            "aif",
            "aifc",
            "caf",
            "au",
        ),
        *("snd", "w64", "rf64", "bwf", "m4a", "m4b", "aac", "wma", "webm", "mka", "mkv", "mp4", "m4v", "mov"),
        *("avi", "ape", "wv"),
    )
)
"""Of the files that are taken from a folder. What of them cannot be decoded is reported, not passed over."""


@dataclass(frozen=True)
class Input:
    """One file to separate.

    Attributes:
        file: its path, or "-".
        folder: where its stems go.
        problem: why it cannot be one, if that is known already.
    """

    file: str
    folder: Path
    problem: str | None = None

    @property
    def is_pipe(self) -> bool:
        """Whether it is standard input."""
        return self.file == PIPE

    @property
    def name(self) -> str:
        """What its stems are named after."""
        return "stdin" if self.is_pipe else self.file


@dataclass(frozen=True)
class Inputs:
    """What a command line names.

    Attributes:
        files: to be separated.
        own: stems that this command wrote before, and that are left out.
    """

    files: list[Input]
    own: list[str]


def collect(names: Iterable[str], output: Path | None, name_pattern: str) -> Inputs:
    """Return the files that names stand for.

    Stems that this command wrote earlier, beside the files that they come from, are none of its inputs, nor
    is anything it wrote in a folder that is given.

    Args:
        names: paths of files and folders, patterns, "-".
        output: the folder for all stems; None puts them beside each file.
        name_pattern: of the stems' files.
    """
    files: list[Input] = []
    own: dict[str, None] = {}
    named: list[Input] = []
    for name in names:
        path = Path(name)
        if name == PIPE:
            files.append(Input(PIPE, output or Path()))
        elif name and path.is_dir():
            for file in _in_folder(path, output, own):
                files.append(file)
        elif glob.has_magic(name) and not os.path.lexists(name):
            found = [Input(file, output or Path(file).parent) for file in _matches(name)]
            named += found
            files += found or [Input(name, Path(), "no file matches this pattern")]
        else:
            named.append(Input(name, output or path.parent))
            files.append(named[-1])
    own.update(dict.fromkeys(_own_stems(named, name_pattern)))
    return Inputs([file for file in files if file.file not in own], list(own))


def listed(path: str) -> list[str]:
    """Return the names in a list of files, one in each line, or each ended by a zero byte.

    Args:
        path: of the list; "-" is standard input.

    Raises OSError if it cannot be read.
    """
    data = sys.stdin.buffer.read() if path == PIPE else Path(path).read_bytes()
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(name) for name in names if name.strip()]


def _in_folder(folder: Path, output: Path | None, own: dict[str, None]) -> Iterator[Input]:
    """Yield the audio files in a folder and below, in the order of their names; add to `own` what is ours."""
    excluded = None if output is None or output.resolve() == folder.resolve() else output.resolve()
    count = 0
    problems: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=problems.append):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and Path(parent, name).resolve() != excluded
        )
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or path.suffix[1:].lower() not in _SUFFIXES:
                continue
            count += 1
            if is_ours(path):
                own[str(path)] = None
            else:
                yield Input(
                    str(path), path.parent if output is None else output / path.parent.relative_to(folder)
                )
    for problem in problems:
        yield Input(os.fsdecode(problem.filename), Path(), (problem.strerror or str(problem)).lower())
    if count == 0 and not problems:
        yield Input(str(folder), Path(), "no audio files in this folder")


def _matches(pattern: str) -> list[str]:
    return sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))


def _own_stems(files: list[Input], name_pattern: str) -> Iterator[str]:
    """Yield the files that this command would write for the others, and has written before."""
    paths = {Path(file.file).resolve(): file.file for file in files}
    formats = {path.suffix[1:].lower() for path in paths} & set(SUBTYPES)
    for file in files if len(paths) > 1 else ():
        for stem, format in product((*STEMS, MIX), formats):
            try:
                (target,) = output_paths(file.file, file.folder, [stem], format, name_pattern).values()
            except ValueError:  # a wrong name is told when it is checked
                continue
            if (other := paths.get(target.resolve())) is not None and is_ours(Path(other)):
                yield other
