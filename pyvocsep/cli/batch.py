"""The files of one command: checked as a whole, then separated, some at a time."""

from __future__ import annotations

import argparse
import errno
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from pyvocsep import _core
from pyvocsep.arrays import STEMS
from pyvocsep.cli.inputs import Input, collect, listed
from pyvocsep.cli.messages import Console, Outcome, Report, Summary, line_of, message
from pyvocsep.cli.options import PIPE
from pyvocsep.cli.pipes import Cancellation, opened_pipe, standard_input, standard_output
from pyvocsep.console import Bar, uninterrupted
from pyvocsep.engines.mixing import gain_of_level
from pyvocsep.engines.registry import check_model
from pyvocsep.files.formats import RAW
from pyvocsep.files.outputs import MIX, Output, make_folder
from pyvocsep.separation import Method, separate_to_files

FAILURE = 1
INCOMPLETE = 3
BROKEN_PIPE = 128 + getattr(signal, "SIGPIPE", 13)

_LONGEST_WAIT_S = 0.2
"""Of the main thread: a signal that comes just before a wait begins is acted upon when the wait ends."""

_STDIN, _STDOUT = "standard input", "standard output"


class Batch:
    """The files of one command.

    Args:
        options: parsed.
        console: prints.
        closed: which of the standard streams, by descriptor, were closed when the command began.
        cancellation: is requested when `run` is interrupted.

    Raises ValueError, OSError or RuntimeError for what would be wrong with any file: a model, an instruction
    set, a pattern.
    """

    def __init__(
        self, options: argparse.Namespace, console: Console, closed: set[int], cancellation: Cancellation
    ) -> None:
        self._options = options
        self._console = console
        self._cancellation = cancellation
        self._to_stdout = options.output == Path(PIPE)
        self._method = Method(
            options.model, options.threads, options.precision, options.mix, options.channels
        )
        self._output = self._checked_output()
        _core.isa()
        check_model(options.model, options.precision)
        folder = None if self._to_stdout else options.output
        inputs = collect(_names(options), folder, options.name)
        self._files, self._own = inputs.files, inputs.own
        self._standard: dict[str, IO[bytes]] = {}
        self._open_standard_streams(closed)
        if not self._to_stdout:
            self._check_outputs()
        self._report = Report(options.report)

    def run(self) -> int:
        """Separate the files and return the exit status; KeyboardInterrupt stops the work cleanly."""
        started = time.perf_counter()
        summary = Summary()
        status = 0
        with self._report:
            if self._options.output is not None and not self._to_stdout:
                try:
                    make_folder(self._options.output)
                except OSError as error:
                    self._console.complain(message(error))
                    return FAILURE
            for outcome in self._outcomes():
                if outcome.status == "broken pipe":
                    return BROKEN_PIPE
                summary.add(outcome)
                self._tell(outcome)
                status = max(status, _STATUS[outcome.status], key=_SEVERITY.index)
                try:
                    self._report.add(outcome)
                except OSError as error:
                    self._console.complain(f"{self._options.report}: {message(error)}")
                    status = FAILURE
        if not self._options.quiet:
            for line in summary.lines(time.perf_counter() - started):
                self._console.say(line)
        return status

    def _outcomes(self) -> Iterator[Outcome]:
        """Yield what becomes of the files, as they are done."""
        for file in self._own:
            yield Outcome(file, "skipped", "a stem that pyvocsep wrote")
        work = []
        for input in self._files:
            if input.problem is not None:
                yield Outcome(input.file, "failed", f"{input.file}: {input.problem}")
            elif not self._to_stdout and self._output_of(input).is_done(input.name):
                yield Outcome(input.file, "skipped", "its stems are there")
            else:
                work.append(input)
        # Even a single file has a thread of its own: the interrupt strikes here, where nothing is half done.
        with ThreadPoolExecutor(self._options.jobs) as pool:
            try:
                done: SimpleQueue[Future[Outcome]] = SimpleQueue()
                with uninterrupted():
                    for input in work:
                        pool.submit(self._separate, input).add_done_callback(done.put)
                for _ in work:
                    yield _next(done).result()
            except BaseException:
                self._cancellation.request()
                pool.shutdown(cancel_futures=True)
                raise

    def _separate(self, input: Input) -> Outcome:
        options = self._options
        started = time.perf_counter()
        shown = _STDIN if input.is_pipe else input.file
        outcome = Outcome(shown, "failed")
        try:
            with ExitStack() as stack:
                bar = stack.enter_context(Bar(Path(shown).name, hidden=options.quiet))
                pipe = self._standard[PIPE] if input.is_pipe else opened_pipe(input.file, self._cancellation)
                source: Any = input.file if pipe is None else stack.enter_context(pipe)

                def progress(done: float, total: float) -> None:
                    self._cancellation.check()
                    bar.show(done, total)

                written, told = separate_to_files(
                    source,
                    self._method,
                    self._output_of(input),
                    name=input.name,
                    strict=options.strict,
                    raw=options.raw,
                    progress=progress,
                )
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE and error.filename == _STDOUT:
                return replace(outcome, status="broken pipe")
            return replace(outcome, reason=message(error, shown), elapsed=time.perf_counter() - started)
        return Outcome(
            shown,
            "incomplete" if told.faults else "done",
            outputs={stem: PIPE if self._to_stdout else str(path) for stem, path in written.items()},
            seconds=told.seconds,
            elapsed=time.perf_counter() - started,
            warnings=(*told.faults, *told.notes),
        )

    def _tell(self, outcome: Outcome) -> None:
        for warning in outcome.warnings:
            self._console.complain(f"warning: {warning}")
        if outcome.status == "failed":
            self._console.complain(line_of(outcome))
        elif not self._options.quiet:
            self._console.say(line_of(outcome))

    def _checked_output(self) -> Output:
        options = self._options
        if options.mix is not None:
            gain_of_level("--mix", options.mix)
            if options.stem:
                raise ValueError("--mix writes one file in place of the stems; leave --stem out")
        stems = (MIX,) if options.mix is not None else tuple(dict.fromkeys(options.stem or STEMS))
        format = options.format
        if self._to_stdout:
            self._console.leave_stdout()
            if len(stems) > 1:
                raise ValueError(
                    "-o - has room for one stem: add --stem vocals, --stem accompaniment or --mix DB"
                )
            format = format or (RAW if options.raw else None)
        elif format == RAW:
            raise ValueError("--format raw is for pipes: it goes with -o -")
        output = Output(
            None,
            {} if self._to_stdout else None,
            stems,
            format,
            options.subtype,
            options.quality,
            options.bitrate,
            options.name,
            options.existing,
        )
        output.check()
        return output

    def _output_of(self, input: Input) -> Output:
        if self._to_stdout:
            (stem,) = self._output.stems
            return replace(self._output, files={stem: self._standard[_STDOUT]})
        return replace(self._output, folder=input.folder)

    def _open_standard_streams(self, closed: set[int]) -> None:
        if any(input.is_pipe for input in self._files):
            self._standard[PIPE] = standard_input(self._cancellation)  # type: ignore[assignment]
        if self._to_stdout:
            if len(self._files) != 1:
                raise ValueError(f"-o - takes one file, not {len(self._files)}")
            if 1 in closed:
                raise ValueError("standard output is closed")
            self._standard[_STDOUT] = standard_output(self._cancellation)  # type: ignore[assignment]

    def _check_outputs(self) -> None:
        files = [input for input in self._files if input.problem is None]
        inputs = {Path(input.file).resolve() for input in files if not input.is_pipe}
        writers: dict[Path, str] = {}
        for input in files:
            for target in self._output_of(input).paths(input.name).values():
                path = target.resolve()
                if other := writers.get(path):
                    raise ValueError(
                        f"{other} and {input.file} would both become {target}; "
                        "--name '{name}.{ext}.{stem}' keeps apart what differs in its suffix"
                    )
                writers[path] = input.file
                if path in inputs:
                    raise ValueError(f"{input.file} would become {target}, which is an input too")
        report = self._options.report
        if report is not None and report.resolve() in {*inputs, *writers}:
            raise ValueError(f"{report} is a song or a stem; choose another name for the report")


_STATUS = {"done": 0, "skipped": 0, "incomplete": INCOMPLETE, "failed": FAILURE}
_SEVERITY = (0, INCOMPLETE, FAILURE)


def _names(options: argparse.Namespace) -> list[str]:
    names = list(options.files)
    if options.files_from == PIPE and PIPE in names:
        raise ValueError("standard input cannot be a song and the list of --files-from at once")
    if options.files_from is not None:
        names += listed(options.files_from)
    if not names:
        raise ValueError("FILE is missing: name what to separate (pyvocsep --help shows the options)")
    return names


def _next(done: SimpleQueue[Future[Outcome]]) -> Future[Outcome]:
    """Return the next task that is done, when there is one."""
    while True:
        with suppress(Empty):
            return done.get(timeout=_LONGEST_WAIT_S)
