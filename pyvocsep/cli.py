"""The `pyvocsep` command: separates audio files."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from tqdm import tqdm  # type: ignore[import-untyped]

from pyvocsep import __version__, _core
from pyvocsep.arrays import STEMS
from pyvocsep.engines.registry import PRECISIONS, check_model
from pyvocsep.errors import AudioWarning
from pyvocsep.files.formats import SUBTYPES, output_format
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN, make_folder, output_paths
from pyvocsep.models import DEFAULT, shipped_models
from pyvocsep.separate import process

_FAILURE = 1
_USAGE = 2
_STDERR = 2
_BAR = "{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on `arguments` (default: those of the process) and return its exit status.

    0: all files are separated. 1: some file was not, the others are. 2: wrong usage, nothing was done.
    130: interrupted (143: terminated), no part of a file is left.
    """
    with _quiet_c_libraries(), _warnings_in_one_line():
        try:
            with _terminated_like_interrupted():
                try:
                    batch = _Batch(_parser().parse_args(arguments))
                except (OSError, ValueError, RuntimeError, ImportError) as error:
                    _complain(_message(error))
                    return _USAGE
                return batch.run()
        except KeyboardInterrupt as interrupt:
            _complain("interrupted")
            return 128 + int(interrupt.args[0] if interrupt.args else signal.SIGINT)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (pyvocsep --help shows the options)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pyvocsep",
        description="Separate songs into vocals and accompaniment.",
        epilog="Without -o the stems are written beside each file, as 32-bit float WAV: "
        "song.mp3 gives song.vocals.wav and song.accompaniment.wav.",
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
        default=DEFAULT,
        help=f"{', '.join(shipped_models())}, or a model file (%(default)s)",
    )
    add(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="of the network's products; the others are faster, on processors that have them (%(default)s)",
    )
    add("--threads", type=_positive, default=1, metavar="N", help="threads for each file (%(default)s)")
    add("--jobs", type=_positive, default=1, metavar="N", help="files at a time (%(default)s)")
    add("--name", default=DEFAULT_NAME_PATTERN, metavar="PATTERN", help="of the stems' files (%(default)s)")
    add("-q", "--quiet", action="store_true", help="print problems only")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


class _Batch:
    """The files of one command, checked as a whole before any is touched.

    Raises ValueError, OSError or RuntimeError for what would be wrong with any file: a model, an instruction
    set, a pattern.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._stems = tuple(dict.fromkeys(options.stem or STEMS))
        self._cancelled = threading.Event()
        _core.isa()
        check_model(options.model, options.precision)
        format, _ = output_format(options.format, options.subtype, None)
        self._check_outputs(format)

    def run(self) -> int:
        """Separate the files and return the exit status; KeyboardInterrupt stops the work cleanly."""
        if self._options.output is not None:
            try:
                make_folder(self._options.output)
            except OSError as error:
                _complain(_message(error))
                return _FAILURE
        status = 0
        # Even a single file has a thread of its own: the interrupt strikes here, where nothing is half done.
        with ThreadPoolExecutor(self._options.jobs) as pool:
            try:
                tasks = {pool.submit(self._separate, file): file for file in self._options.files}
                for task in as_completed(tasks):
                    if failure := task.exception():
                        _complain(_message(failure, tasks[task]))
                        status = _FAILURE
            except BaseException:
                self._cancelled.set()
                pool.shutdown(cancel_futures=True)
                raise
        return status

    def _separate(self, file: str) -> None:
        options = self._options
        started = time.perf_counter()
        with tqdm(
            desc=Path(file).name, disable=True if options.quiet else None, leave=False, bar_format=_BAR
        ) as bar:

            def progress(done: float, total: float) -> None:
                if self._cancelled.is_set():
                    raise CancelledError
                bar.total = total
                bar.update(done - bar.n)

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
                progress=progress,
            )
            duration = bar.total
        if not options.quiet:
            _print(f"{file}: {_speed(duration, time.perf_counter() - started)}", sys.stdout)

    def _folder(self, file: str) -> Path:
        return self._options.output or Path(file).parent

    def _check_outputs(self, format: str) -> None:
        inputs = {Path(file).resolve() for file in self._options.files}
        writers: dict[Path, str] = {}
        for file in self._options.files:
            targets = output_paths(file, self._folder(file), self._stems, format, self._options.name)
            for target in targets.values():
                if other := writers.get(target.resolve()):
                    raise ValueError(f"{other} and {file} would both become {target}")
                writers[target.resolve()] = file
                if target.resolve() in inputs:
                    raise ValueError(f"{file} would become {target}, which is an input too")


def _speed(duration: float, elapsed: float) -> str:
    minutes, seconds = divmod(round(duration), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{clock} in {elapsed:.1f} s, {duration / elapsed:.0f} x real time"


def _message(error: BaseException, file: str | None = None) -> str:
    """Return an error as one line that begins with the file or folder it is about."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror[0].lower()}{error.strerror[1:]}"
    expected = isinstance(error, OSError | ValueError | RuntimeError | ImportError)
    text = str(error) if expected else f"{type(error).__name__}: {error}"
    return text if file is None or text.startswith(file) else f"{file}: {text}"


def _complain(text: str) -> None:
    _print(f"pyvocsep: {text}", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    """Print a line between the progress bars, with whatever characters the file names have."""
    encoding = stream.encoding or "utf-8"
    line = " ".join(text.splitlines()).encode(encoding, "backslashreplace").decode(encoding)
    tqdm.write(line, file=stream)


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    def show(message: Warning | str, *_: object, **__: object) -> None:
        _complain(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", AudioWarning)
        warnings.showwarning = show
        yield


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let a request to terminate clean up as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can receive signals
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _quiet_c_libraries() -> Iterator[None]:
    """Keep stderr to ourselves: the decoders under libsndfile print remarks about files there."""
    stderr = sys.stderr
    try:
        is_ours = stderr.fileno() == _STDERR
    except (AttributeError, OSError, ValueError):
        is_ours = False  # a test's or a notebook's
    if not is_ours:
        yield
        return
    stderr.flush()
    kept = os.dup(_STDERR)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), _STDERR)
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=stderr.encoding, errors=stderr.errors)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, _STDERR)
        sys.stderr.close()
        sys.stderr = stderr
