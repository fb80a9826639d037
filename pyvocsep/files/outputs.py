"""The files of a recording's stems: their names, and all of them written or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from pyvocsep.arrays import STEMS, Samples
from pyvocsep.files.writer import AudioWriter, commit

DEFAULT_NAME_PATTERN = "{name}.{stem}"


def output_paths(
    source: str | os.PathLike[str],
    output_dir: str | os.PathLike[str],
    stems: Sequence[str],
    format: str,
    name_pattern: str,
) -> dict[str, Path]:
    """Return the file of each stem that `process` writes for a source.

    Raises ValueError for an unknown stem, or a pattern that does not tell the stems apart or replaces the
    source.
    """
    if not stems or not set(stems) <= set(STEMS):
        raise ValueError(f"unknown stems {list(stems)}: choose from {', '.join(STEMS)}")
    name = Path(source).stem
    try:
        names = [name_pattern.format(name=name, stem=stem) for stem in stems]
    except (LookupError, ValueError, AttributeError):
        raise ValueError(
            f"the name pattern {name_pattern!r} can hold {{name}} and {{stem}} in braces"
        ) from None
    if len(set(names)) < len(set(stems)):
        raise ValueError(f"the name pattern {name_pattern!r} gives both stems one name; put {{stem}} in it")
    paths = {stem: Path(output_dir, f"{name}.{format}") for stem, name in zip(stems, names, strict=True)}
    for path in paths.values():
        if path.resolve() == Path(source).resolve():
            raise ValueError(f"{path}: the stem would replace its source; choose another name or folder")
    return paths


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing; OSError if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder)) from None


def write_stems(
    parts: Iterable[tuple[Samples, Samples]],
    paths: dict[str, Path],
    open_writer: Callable[[Path], AudioWriter],
) -> list[str]:
    """Write the stems that have a path, all or none; return what the caller should know about them."""
    with ExitStack() as stack:
        writers = {}
        for stem, path in paths.items():
            make_folder(path.parent)
            writers[stem] = stack.enter_context(open_writer(path))
        for part in parts:
            for stem, samples in zip(STEMS, part, strict=True):
                if stem in writers:
                    writers[stem].write(samples)
        for writer in writers.values():  # all must be whole before the first one gets its name
            writer.finish()
        commit(list(writers.values()))
    return [note for writer in writers.values() if (note := writer.clipping())]
