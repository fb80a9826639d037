"""A separated song, and the sentences that say why there is none."""

from __future__ import annotations

import hashlib
import secrets
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np

import pyvocsep
from pyvocsep.web.jobs import Refusal, Report
from pyvocsep.web.memory_file import memory_file


@dataclass(frozen=True, eq=False)
class Song:
    """A separated recording.

    Attributes:
        name: the file's, without folder and suffix.
        stems: float32, (channels, samples).
        notes: sentences on what the separation had to leave out.
        token: a secret under which a browser may ask for the samples. Hexadecimal digits: Streamlit refuses a
            component's key that holds "__", which a token in base 64 has once in 200 songs.
    """

    name: str
    stems: pyvocsep.Stems
    notes: tuple[str, ...] = ()
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def channels(self) -> int:
        """1 or 2."""
        return int(self.stems.vocals.shape[0])

    @property
    def samples(self) -> int:
        """How many each channel has."""
        return int(self.stems.vocals.shape[1])

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.samples / self.stems.sample_rate

    @cached_property
    def peak(self) -> float:
        """The largest magnitude in either stem."""
        return max(
            float(np.abs(stem).max(initial=0)) for stem in (self.stems.vocals, self.stems.accompaniment)
        )

    @property
    def nbytes(self) -> int:
        """The memory of its stems."""
        return self.stems.vocals.nbytes + self.stems.accompaniment.nbytes


@dataclass(frozen=True)
class Request:
    """What a visitor wants separated, and how.

    Attributes:
        name: of the file, as uploaded.
        data: its content.
        model, precision: as `pyvocsep.process` takes them.
    """

    name: str
    data: bytes = field(repr=False)
    model: str
    precision: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The same for requests whose results are the same."""
        return hashlib.sha256(self.data).hexdigest(), self.title, self.model, self.precision

    @property
    def title(self) -> str:
        """The file's name without folder and suffix."""
        return PurePath(self.name.replace("\\", "/")).stem or "recording"


def separate(request: Request, max_minutes: float, report: Report) -> Song:
    """Separate a request's recording as `pyvocsep.process` does.

    Raises Refusal, a sentence, for what is no audio, damaged, too long, silent or has too many channels.
    """

    def progress(done_s: float, total_s: float) -> None:
        if max(done_s, total_s) > 60 * max_minutes:
            raise Refusal(
                f"{request.name} lasts {max(done_s, total_s) / 60:.1f} minutes; this page takes up to "
                f"{max_minutes:g}. The one who runs it can raise that with --max-minutes, and the command "
                "pyvocsep has no limit."
            )
        report(done_s, total_s)

    with memory_file(request.data) as path, _collected_warnings() as notes:
        try:
            stems = pyvocsep.process(
                path, model=request.model, precision=request.precision, progress=progress
            )
        except pyvocsep.AudioFileError as error:
            reason = error.reason.replace(str(path), request.name)  # in the advice how to convert it
            raise Refusal(f"{request.name}: {_sentence(reason)}") from None
        except (ImportError, OSError) as error:
            raise Refusal(_sentence(str(error))) from None
    if not (np.any(stems.vocals) or np.any(stems.accompaniment)):
        raise Refusal(f"{request.name} is silent from beginning to end: there is nothing to separate.")
    return Song(request.title, stems, tuple(note.replace(str(path), request.name) for note in notes))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


_collecting = threading.local()


@contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """Yield a list of what this thread warns about the audio, meanwhile.

    `warnings.catch_warnings` is for one thread at a time; here each separation has its own.
    """
    _install_collector()
    notes: list[str] = []
    _collecting.notes = notes
    try:
        yield notes
    finally:
        del _collecting.notes


_install_lock = threading.Lock()


def _install_collector() -> None:
    with _install_lock:
        if getattr(warnings.showwarning, "collects_for_songs", False):
            return
        warnings.simplefilter("always", pyvocsep.AudioWarning)
        show_elsewhere = warnings.showwarning

        def show(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, pyvocsep.AudioWarning) and hasattr(_collecting, "notes"):
                _collecting.notes.append(_sentence(str(message)))
            else:
                show_elsewhere(message, category, *rest, **more)

        show.collects_for_songs = True  # type: ignore[attr-defined]
        warnings.showwarning = show
