"""The files of a recording's stems: their names, and all of them written or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from pyvocsep.arrays import STEMS, Samples
from pyvocsep.files import file_objects
from pyvocsep.files.covers import Cover
from pyvocsep.files.formats import output_format
from pyvocsep.files.ownership import EXISTING, Existing, is_there
from pyvocsep.files.quality import check_quality, encoder_options
from pyvocsep.files.writer import AudioWriter, commit

DEFAULT_NAME_PATTERN = "{name}.{stem}"

MIX = "mix"
"""The name, in files' names, of a song with its vocals turned down or up."""


class Writer(Protocol):
    """Takes the samples of one output; a context manager that cleans up after a failure."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *_: Any) -> None: ...
    def write(self, block: Samples, /) -> None: ...
    def finish(self) -> None: ...
    def commit(self) -> None: ...
    def clipping(self) -> str | None: ...


@dataclass(frozen=True)
class Output:
    """Where and how the stems of a recording are written.

    Attributes:
        folder: for a file per stem; None if there are `files`.
        files: an open binary file per stem, by its name.
        stems: the outputs, of "vocals" and "accompaniment", or "mix" alone.
        format, subtype, quality, bitrate, name_pattern, existing: as `pyvocsep.process` takes them.
    """

    folder: Path | None = None
    files: Mapping[str, IO[bytes]] | None = None
    stems: Sequence[str] = STEMS
    format: str | None = None
    subtype: str | None = None
    quality: float | None = None
    bitrate: float | None = None
    name_pattern: str = DEFAULT_NAME_PATTERN
    existing: Existing = "ours"

    def check(self) -> None:
        """Raise ValueError for what is wrong with any recording."""
        if self.existing not in EXISTING:
            raise ValueError(f"existing is {self.existing!r}; choose from {', '.join(EXISTING)}")
        _, subtype = output_format(self.format, self.subtype, None, raw=self.files is not None)
        check_quality(subtype, self.quality, self.bitrate)

    def paths(self, source: str | os.PathLike[str]) -> dict[str, Path]:
        """Return the path of each stem of a source; ValueError as `output_paths`."""
        assert self.folder is not None
        format, _ = output_format(self.format, self.subtype, None)
        return output_paths(source, self.folder, self.stems, format, self.name_pattern)

    def is_done(self, source: str | os.PathLike[str]) -> bool:
        """Tell whether nothing is to be done, since all stems are there and are to be left."""
        return (
            self.folder is not None
            and self.existing == "skip"
            and all(is_there(path) for path in self.paths(source).values())
        )

    def write(
        self,
        parts: Iterable[tuple[Samples, ...]],
        names: Sequence[str],
        source: str | os.PathLike[str],
        *,
        sample_rate: int,
        channels: int,
        subtype: str | None,
        frames: int | None,
        tags: Mapping[str, str],
        cover: Cover | None = None,
    ) -> tuple[dict[str, Any], list[str]]:
        """Write the parts of a recording, which are in the order of `names`.

        Args:
            source: which names the files.
            subtype: of the source.
            sample_rate, channels, frames, tags, cover: as `Encoder` takes them.

        Returns the path, or open file, of each stem, and what the caller should know about them.
        """
        format, chosen = output_format(self.format, self.subtype, subtype, raw=self.files is not None)
        how: dict[str, Any] = {
            "format": format,
            "subtype": chosen,
            "frames": frames,
            "tags": tags,
            "cover": cover,
            "options": encoder_options(chosen, self.quality, self.bitrate, sample_rate, channels),
        }
        targets: dict[str, Any]
        if self.files is not None:
            targets = {stem: self.files[stem] for stem in self.stems}
            open_writer: Any = partial(file_objects.open_writer, **how)
        else:
            targets = dict(self.paths(source))
            open_writer = partial(AudioWriter, existing=self.existing, **how)
        open_one = partial(open_writer, sample_rate=sample_rate, channels=channels)
        return targets, write_stems(parts, targets, open_one, names)


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
    if tuple(stems) != (MIX,) and (not stems or not set(stems) <= set(STEMS)):
        raise ValueError(f"unknown stems {list(stems)}: choose from {', '.join(STEMS)}")
    name, suffix = Path(source).stem, Path(source).suffix[1:]
    try:
        names = [name_pattern.format(name=name, stem=stem, ext=suffix) for stem in stems]
    except (LookupError, ValueError, AttributeError):
        raise ValueError(
            f"the name pattern {name_pattern!r} can hold {{name}}, {{stem}} and {{ext}} in braces"
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
    parts: Iterable[tuple[Samples, ...]],
    targets: Mapping[str, Any],
    open_writer: Callable[[Any], Writer],
    names: Sequence[str] = STEMS,
) -> list[str]:
    """Write the stems that have a target, all or none; return what the caller should know about them.

    Args:
        parts: in each, a block of every stem of `names`.
        targets: path or open file of the stems that are to be written.
        open_writer: makes the writer of one.
    """
    with ExitStack() as stack:
        writers: dict[str, Writer] = {}
        for stem, target in targets.items():
            if isinstance(target, Path):
                make_folder(target.parent)
            writers[stem] = stack.enter_context(open_writer(target))
        for part in parts:
            for stem, samples in zip(names, part, strict=True):
                if stem in writers:
                    writers[stem].write(samples)
        for writer in writers.values():  # all must be whole before the first one gets its name
            writer.finish()
        to_be_named = [writer for writer in writers.values() if isinstance(writer, AudioWriter)]
        commit(to_be_named)
        for writer in writers.values():
            if not isinstance(writer, AudioWriter):
                writer.commit()
    return [note for writer in writers.values() if (note := writer.clipping())]
