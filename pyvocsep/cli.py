"""The `pyvocsep` command: separates audio files."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import NoReturn

from pyvocsep import __version__, _core
from pyvocsep.arrays import STEMS
from pyvocsep.clock import clock
from pyvocsep.console import (
    Bar,
    Lines,
    ended_like_interrupted,
    open_standard_streams,
    positive,
    quiet_c_libraries,
)
from pyvocsep.engines.registry import PRECISIONS, check_model
from pyvocsep.errors import AudioWarning, IncompleteWarning
from pyvocsep.files.formats import SUBTYPES, output_format
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN, make_folder, output_paths
from pyvocsep.files.ownership import is_ours
from pyvocsep.models import DEFAULT_FOR_FILES, shipped_models
from pyvocsep.separate import process

_FAILURE = 1
_USAGE = 2
_INCOMPLETE = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on `arguments` (default: those of the process) and return its exit status.

    0: all files are separated. 1: some file was not, the others are. 2: wrong usage, nothing was done. 3: all
    files are separated, but some are damaged or cut short, as warnings say.
    128 + a signal's number: interrupted (130), terminated (143) or the terminal gone (129), no part of a file
    is left.
    """
    open_standard_streams()
    with quiet_c_libraries():
        console = _Console()
        try:
            with ended_like_interrupted(), _warnings_in_one_line(console):
                try:
                    batch = _Batch(_parser().parse_args(arguments), console)
                except (OSError, ValueError, RuntimeError, ImportError) as error:
                    console.complain(_message(error))
                    return _USAGE
                return batch.run()
        except KeyboardInterrupt as interrupt:
            console.complain("interrupted")
            return 128 + int(interrupt.args[0] if interrupt.args else signal.SIGINT)
        finally:
            console.finish()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (pyvocsep --help shows the options)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pyvocsep",
        description="Separate songs into vocals and accompaniment.",
        epilog="Without -o the stems are written beside each file, as 32-bit float WAV: "
        "song.mp3 gives song.vocals.wav and song.accompaniment.wav. A file that pyvocsep did not write is "
        "never replaced. Exit status: 0 all separated; 1 some file was not; 2 wrong usage; 3 all separated, "
        "but a file is damaged or cut short and only a part of it is there.",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="WAV, FLAC, OGG, MP3 or AIFF, mono or stereo")
    add("-o", "--output", metavar="DIR", type=Path, help="folder for the stems, made if need be")
    add("--stem", action="append", choices=STEMS, help="write only this stem (can be repeated)")
    add(
        "--format",
        choices=tuple(SUBTYPES),
        help="of the stems; samples as in the input where it can hold them",
    )
    add("--subtype", help="of the samples, as PCM_16, PCM_24 or FLOAT")
    add(
        "--model",
        default=DEFAULT_FOR_FILES,
        help=f"{', '.join(shipped_models())}, or a model file (%(default)s)",
    )
    add(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="of the network's products; the others are faster, on processors that have them (%(default)s)",
    )
    add("--threads", type=positive, default=1, metavar="N", help="threads for each file (%(default)s)")
    add("--jobs", type=positive, default=1, metavar="N", help="files at a time (%(default)s)")
    add("--name", default=DEFAULT_NAME_PATTERN, metavar="PATTERN", help="of the stems' files (%(default)s)")
    add("--strict", action="store_true", help="refuse files that are damaged or cut short")
    add("-q", "--quiet", action="store_true", help="print problems only")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


class _Batch:
    """The files of one command, checked as a whole before any is touched.

    Stems that this command wrote earlier, beside the files that they come from, are none of its files.

    Raises ValueError, OSError or RuntimeError for what would be wrong with any file: a model, an instruction
    set, a pattern.
    """

    def __init__(self, options: argparse.Namespace, console: _Console) -> None:
        self._options = options
        self._console = console
        self._stems = tuple(dict.fromkeys(options.stem or STEMS))
        self._cancelled = threading.Event()
        _core.isa()
        check_model(options.model, options.precision)
        format, _ = output_format(options.format, options.subtype, None)
        own = self._own_stems()
        self._files = [file for file in options.files if file not in own]
        self._check_outputs(format)
        if not options.quiet:
            for file in own:
                console.say(f"{file}: skipped, a stem that pyvocsep wrote")

    def run(self) -> int:
        """Separate the files and return the exit status; KeyboardInterrupt stops the work cleanly."""
        if self._options.output is not None:
            try:
                make_folder(self._options.output)
            except OSError as error:
                self._console.complain(_message(error))
                return _FAILURE
        status = 0
        # Even a single file has a thread of its own: the interrupt strikes here, where nothing is half done.
        with ThreadPoolExecutor(self._options.jobs) as pool:
            try:
                tasks = {pool.submit(self._separate, file): file for file in self._files}
                for task in as_completed(tasks):
                    if failure := task.exception():
                        self._console.complain(_message(failure, tasks[task]))
                        status = _FAILURE
            except BaseException:
                self._cancelled.set()
                pool.shutdown(cancel_futures=True)
                raise
        return status or (_INCOMPLETE if self._console.has_told_of_damage else 0)

    def _separate(self, file: str) -> None:
        options = self._options
        started = time.perf_counter()
        with Bar(Path(file).name, hidden=options.quiet) as bar:

            def progress(done: float, total: float) -> None:
                if self._cancelled.is_set():
                    raise CancelledError
                bar.show(done, total)

            process(
                file,
                model=options.model,
                threads=options.threads,
                precision=options.precision,
                output_dir=self._folder(file),
                stems=self._stems,
                format=options.format,
                subtype=options.subtype,
                name_pattern=options.name,
                strict=options.strict,
                progress=progress,
            )
        if not options.quiet:
            self._console.say(f"{file}: {_speed(bar.done, time.perf_counter() - started)}")

    def _folder(self, file: str) -> Path:
        return self._options.output or Path(file).parent

    def _own_stems(self) -> list[str]:
        """Return the files that this command would write for the others, and has written before."""
        options = self._options
        paths = {Path(file).resolve(): file for file in options.files}
        formats = {path.suffix[1:].lower() for path in paths} & set(SUBTYPES)
        own: dict[str, None] = {}
        for file in options.files if len(paths) > 1 else ():
            for stem, format in product(STEMS, formats):
                with suppress(ValueError):  # a wrong name is told when it is checked
                    (target,) = output_paths(file, self._folder(file), [stem], format, options.name).values()
                    if (other := paths.get(target.resolve())) is not None and is_ours(Path(other)):
                        own[other] = None
        return list(own)

    def _check_outputs(self, format: str) -> None:
        inputs = {Path(file).resolve() for file in self._files}
        writers: dict[Path, str] = {}
        for file in self._files:
            targets = output_paths(file, self._folder(file), self._stems, format, self._options.name)
            for target in targets.values():
                if other := writers.get(target.resolve()):
                    raise ValueError(f"{other} and {file} would both become {target}")
                writers[target.resolve()] = file
                if target.resolve() in inputs:
                    raise ValueError(f"{file} would become {target}, which is an input too")


def _speed(duration: float, elapsed: float) -> str:
    return f"{clock(duration)} in {elapsed:.1f} s, {duration / elapsed:.0f} x real time"


def _message(error: BaseException, file: str | None = None) -> str:
    """Return an error as one line that begins with the file or folder it is about."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror[0].lower()}{error.strerror[1:]}"
    expected = isinstance(error, OSError | ValueError | RuntimeError | ImportError)
    text = str(error) if expected else f"{type(error).__name__}: {error}"
    return text if file is None or text.startswith(file) else f"{file}: {text}"


class _Console:
    """What the command says: results on stdout, problems on stderr, a line each."""

    def __init__(self) -> None:
        self.has_told_of_damage = False
        self._results, self._problems = Lines(sys.stdout), Lines(sys.stderr)

    def say(self, text: str) -> None:
        self._results.print(text)

    def complain(self, text: str) -> None:
        self._problems.print(f"pyvocsep: {text}")

    def warn(self, message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        self.has_told_of_damage |= issubclass(category, IncompleteWarning)
        self.complain(f"warning: {message}")

    def finish(self) -> None:
        """Tell if results could not be printed; who closes a pipe, as `head` does, knows."""
        error = self._results.error
        if error is not None and error.errno != errno.EPIPE:
            self.complain(f"standard output: {error.strerror}; the stems are not affected")


@contextmanager
def _warnings_in_one_line(console: _Console) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always", AudioWarning)
        warnings.showwarning = console.warn
        yield
