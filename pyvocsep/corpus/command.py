"""One run of the command: from the options to the exit status."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from dask.system import CPU_COUNT

from pyvocsep.arrays import STEMS
from pyvocsep.console import Lines
from pyvocsep.corpus import estimate, report
from pyvocsep.corpus.cluster import dashboard_of, local_cluster, remote_cluster
from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.manifest import MANIFEST, Manifest, Record
from pyvocsep.corpus.outcome import Outcome, Status, reason_of, status_of
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import Recording, list_recordings
from pyvocsep.corpus.run import NoRoomError, Run
from pyvocsep.corpus.settings import Settings
from pyvocsep.corpus.work import ModelPlugin, Task, separate_on_worker
from pyvocsep.engines.registry import check_model
from pyvocsep.files.outputs import make_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_DONE = 0
_FAILURE = 1
_INCOMPLETE = 3


class Command:
    """A corpus, listed and compared with its manifest.

    Raises CorpusError, OSError, ValueError, RuntimeError or ImportError for what would be wrong with every
    recording.
    """

    def __init__(self, options: argparse.Namespace, results: Lines, problems: Lines) -> None:
        self._options = options
        self._results = results
        self._problems = problems
        settings = Settings.of(
            options.model,
            precision=options.precision,
            stems=tuple(dict.fromkeys(options.stem or STEMS)),
            format=options.format,
            subtype=options.subtype,
            name_pattern=options.name,
            strict=options.strict,
        )
        check_model(options.model, options.precision)
        source, target = Place(options.source).absolute(), Place(options.target).absolute()
        self._task = Task(source, target, settings)
        self._listing = list_recordings(source, target, settings)
        self._hold = ExitStack()
        if not options.dry_run:
            self._hold.enter_context(_alone_in(target))
        self._manifest = Manifest(target, settings)
        self._todo = self._not_done()
        self._already = len(self._listing.recordings) - len(self._todo)
        self._say(report.found(self._listing, self._todo))

    def estimate(self) -> int:
        """Print what the recordings that are not done would cost."""
        if not self._todo:
            self._results.print("nothing is left to do")
            return _DONE
        cores = self._options.workers or CPU_COUNT
        found = estimate.estimate(self._todo, self._task)
        self._print(estimate.text(found, self._todo, cores))
        return _DONE

    def run(self) -> int:
        """Separate what is not done, and return the exit status.

        Raises CorpusError if the cluster is lost for good, or another run writes to the same folder.
        """
        tally = report.Tally()
        for recording, reason in self._listing.refused:
            self._record(tally, recording, Outcome(Status.FAILED, reason), 0)
        stopped = None
        try:
            if self._todo:
                self._separate(tally)
        except NoRoomError as error:
            stopped = error
        finally:
            self._clean_up()
        left = len(self._todo) + len(self._listing.refused) - tally.done - tally.failed
        if not self._options.quiet:
            self._print(report.table(tally, self._already, left))
        else:
            for source, reason in tally.failures:
                self._problems.print(f"pyvocsep.corpus: {source}: {reason}")
        if stopped is not None:
            raise CorpusError(f"stopped: {stopped}. Make room, then the same command does the rest")
        if tally.failed or self._manifest.unwritten:
            return _FAILURE
        return _INCOMPLETE if tally.incomplete else _DONE

    def _not_done(self) -> list[Recording]:
        records, settings = self._manifest.records, self._task.settings.fingerprint
        if not records:
            return self._listing.recordings
        with_stems: dict[str, int] = {}
        with suppress(FileNotFoundError):
            with_stems = {entry.path: entry.size for entry in self._task.target.find()}
        return [
            each
            for each in self._listing.recordings
            if each.source not in records or not records[each.source].is_done(each, settings, with_stems)
        ]

    def _separate(self, tally: report.Tally) -> None:
        options = self._options
        plugin = ModelPlugin(self._task.settings)
        place = (
            remote_cluster(plugin, options.scheduler)
            if options.scheduler
            else local_cluster(plugin, options.workers)
        )
        with report.Progress(tally, self._todo, hidden=options.quiet) as progress, place as connect:
            client = connect()
            self._say(f"dashboard: {dashboard_of(client)}")

            def ended(recording: Recording, outcome: Outcome, attempts: int) -> None:
                self._record(tally, recording, outcome, attempts)
                progress.step(recording)

            def tick(threads: int) -> None:
                self._keep_manifest()
                progress.tick(threads)

            separate = partial(separate_on_worker, task=self._task)
            Run(connect, separate, retries=options.retries, ended=ended, tick=tick)(client, self._todo)

    def _record(self, tally: report.Tally, recording: Recording, outcome: Outcome, attempts: int) -> None:
        tally.add(recording, outcome)
        settings = self._task.settings.fingerprint
        self._manifest.add(Record.of(recording, settings, outcome, attempts))
        for note in outcome.notes:
            self._problems.print(f"pyvocsep.corpus: warning: {recording.source}: {note}")

    def _keep_manifest(self) -> None:
        try:
            self._manifest.keep()
        except Exception as error:  # of whatever file system; it is tried again, at the latest in the end
            if status_of(error) is Status.FULL:
                raise NoRoomError(f"{MANIFEST}: {reason_of(error)}") from None

    def _clean_up(self) -> None:
        """Write the manifest, remove what is half done, and let others write here."""
        with self._hold:
            try:
                self._manifest.finish()
            except Exception as error:
                lost = self._manifest.unwritten
                self._problems.print(
                    f"pyvocsep.corpus: {self._task.target.full(MANIFEST)}: {reason_of(error)}"
                    + (f"; {lost} recordings that are done will be separated again" if lost else "")
                )
            with suppress(Exception):
                self._task.target.sweep()

    def _say(self, text: str) -> None:
        if not self._options.quiet:
            self._print(text)

    def _print(self, text: str) -> None:
        for line in text.splitlines():
            self._results.print(line)


@contextmanager
def _alone_in(target: Place) -> Iterator[None]:
    """Hold a local destination for this run, where the system can; CorpusError if another run has it."""
    if not target.is_local:
        yield
        return
    make_folder(Path(target.root))
    with ExitStack() as stack:
        if fcntl is not None:
            folder = os.open(target.root, os.O_RDONLY)
            stack.callback(os.close, folder)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CorpusError(f"{target.root}: another run is writing here") from None
            except OSError:
                pass  # a file system without locks
        target.sweep()
        yield
