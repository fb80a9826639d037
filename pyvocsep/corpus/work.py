"""What a worker does: one recording, from the source to its stems in their places."""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import distributed

from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.outcome import Outcome, Status, reason_of, status_of
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import Recording
from pyvocsep.corpus.settings import Settings, digest
from pyvocsep.engines.registry import check_model
from pyvocsep.errors import AudioWarning, IncompleteWarning
from pyvocsep.models import model_path, shipped_models
from pyvocsep.separate import process

_PLUGIN = "pyvocsep-model"


@dataclass(frozen=True)
class Task:
    """What `separate` needs to know besides the recording. `model` is a name, or a path on the worker."""

    source: Place
    target: Place
    settings: Settings


class ModelPlugin(distributed.WorkerPlugin):
    """Brings the model to every worker, those that join later too, and loads it there, once.

    A shipped model is known by its name, and its file must be the driver's, to the bit. The content of any
    other travels with the plugin: its path needs to exist on the machine of the driver alone.
    """

    name = _PLUGIN

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = None if settings.model in shipped_models() else model_path(settings.model)
        self._content = None if self._file is None else self._file.read_bytes()
        self.model = settings.model

    def setup(self, worker: Any) -> None:
        """Load the model; raises what would keep this worker from separating anything."""
        if self._file is None or self._content is None:
            found = digest(model_path(self._settings.model).read_bytes())
            if found != self._settings.model_digest:
                raise CorpusError(
                    f"the model {self._settings.model!r} of this worker is another one than the driver's: "
                    "install the same version of pyvocsep on all machines"
                )
        else:
            path = Path(worker.local_directory, f"{self._settings.model_digest[:12]}-{self._file.name}")
            if not path.exists():  # the plugin comes again when the driver has lost its connection
                path.write_bytes(self._content)
            self.model = str(path)
        check_model(self.model, self._settings.precision)


def separate_on_worker(recording: Recording, task: Task) -> Outcome:
    """Separate a recording on a Dask worker that has a `ModelPlugin`."""
    worker = distributed.get_worker()
    plugin = worker.plugins[_PLUGIN]
    assert isinstance(plugin, ModelPlugin)
    return separate(recording, task, plugin.model)


def separate(recording: Recording, task: Task, model: str) -> Outcome:
    """Separate one recording and publish its stems; whatever goes wrong becomes an `Outcome`.

    Twice, or on two workers at a time, it gives the same samples; files differ in the time of their making.
    """
    started = time.perf_counter()
    worker = f"{socket.gethostname()}:{os.getpid()}"
    audio_s = 0.0

    def progress(done: float, total: float) -> None:
        nonlocal audio_s
        audio_s = done

    settings = task.settings
    names: dict[str, str] = {}  # of temporary files, and what the user knows them as
    try:
        for output in recording.outputs.values():
            task.target.check_replaceable(output)
        with (
            task.source.fetched(recording.source) as file,
            task.target.parts_folder() as folder,
            warnings.catch_warnings(record=True) as caught,
        ):
            names[str(file.parent)] = task.source.full(recording.source).rpartition("/")[0]
            names[str(folder)] = task.target.root
            warnings.simplefilter("always", AudioWarning)
            made = process(
                file,
                model=model,
                precision=settings.precision,
                output_dir=folder,
                stems=settings.stems,
                format=settings.format,
                subtype=settings.subtype,
                name_pattern="{stem}",
                strict=settings.strict,
                progress=progress,
            )
            sizes = {stem: path.stat().st_size for stem, path in made.items()}
            for output in recording.outputs.values():
                task.target.check_replaceable(output)
            task.target.publish({path: recording.outputs[stem] for stem, path in made.items()})
    except Exception as error:
        return Outcome(
            status_of(error),
            _renamed(reason_of(error), names),
            work_s=time.perf_counter() - started,
            worker=worker,
        )
    notes = [warning.message for warning in caught if isinstance(warning.message, AudioWarning)]
    names |= {str(path): recording.outputs[stem] for stem, path in made.items()}
    prefix = f"{task.source.full(recording.source)}: "
    return Outcome(
        Status.DONE,
        notes=tuple(_renamed(str(note), names).removeprefix(prefix) for note in notes),
        is_incomplete=any(isinstance(note, IncompleteWarning) for note in notes),
        sizes=sizes,
        audio_s=audio_s,
        work_s=time.perf_counter() - started,
        worker=worker,
    )


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Return a message with other names for files, the longer ones replaced first."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text
