"""`python -m pyvocsep.corpus SRC DST`: separate a collection, on this machine or on a Dask cluster."""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
from collections.abc import Sequence

from pyvocsep.arrays import STEMS
from pyvocsep.console import (
    Lines,
    count,
    ended_like_interrupted,
    open_standard_streams,
    positive,
    quiet_c_libraries,
)
from pyvocsep.corpus.errors import CorpusError
from pyvocsep.engines.registry import PRECISIONS
from pyvocsep.files.formats import SUBTYPES
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN
from pyvocsep.models import DEFAULT_FOR_FILES, shipped_models

_NEEDED = ("dask", "distributed", "fsspec")
_FAILURE = 1
_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on `arguments` (default: those of the process) and return its exit status.

    0: every recording is separated. 1: some are not. 2: the run could not begin, nothing was done. 3: all are
    separated, but some are damaged or cut short. 128 + a signal's number: interrupted; what is done is kept.
    """
    options = _parser().parse_args(arguments)
    open_standard_streams()
    with quiet_c_libraries():
        problems = Lines(sys.stderr)
        missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            problems.print(f'pyvocsep.corpus: needs {" and ".join(missing)}: pip install "pyvocsep[corpus]"')
            return _USAGE
        from pyvocsep.corpus.command import Command

        try:
            with ended_like_interrupted():
                try:
                    command = Command(options, Lines(sys.stdout), problems)
                except (CorpusError, OSError, ValueError, RuntimeError, ImportError) as error:
                    problems.print(f"pyvocsep.corpus: {error}")
                    return _USAGE
                return command.estimate() if options.dry_run else command.run()
        except CorpusError as error:
            problems.print(f"pyvocsep.corpus: {error}")
            return _FAILURE
        except KeyboardInterrupt as interrupt:
            problems.print("pyvocsep.corpus: interrupted; the same command goes on from here")
            return 128 + int(interrupt.args[0] if interrupt.args else signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pyvocsep.corpus",
        description="Separate all recordings of a folder into vocals and accompaniment, on a Dask cluster.",
        epilog="SRC and DST are folders or URLs (s3://, gs://, sftp:// and whatever fsspec knows). DST keeps "
        "the tree of SRC, and manifest.jsonl says what is done: the same command again does only the rest.",
    )
    add = parser.add_argument
    add("source", metavar="SRC", help="the folder of the recordings")
    add("target", metavar="DST", help="the folder for the stems")
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="of a running cluster, as tcp://host:8786; else one is started here",
    )
    add(
        "--workers",
        type=positive,
        metavar="N",
        help="processes of the cluster that is started here (one a core)",
    )
    add("--dry-run", action="store_true", help="measure a few recordings, print what all would cost, and end")
    add("--retries", type=count, default=2, metavar="N", help="after an error that may pass (%(default)s)")
    add("--stem", action="append", choices=STEMS, help="write only this stem (can be repeated)")
    add("--format", choices=tuple(SUBTYPES), help="of the stems; 32-bit float WAV if not given")
    add("--subtype", help="of the samples, as PCM_16, PCM_24 or FLOAT")
    add(
        "--model",
        default=DEFAULT_FOR_FILES,
        help=f"{', '.join(shipped_models())}, or a model file (%(default)s)",
    )
    add("--precision", choices=PRECISIONS, default=PRECISIONS[0], help="(%(default)s)")
    add("--name", default=DEFAULT_NAME_PATTERN, metavar="PATTERN", help="of the stems' files (%(default)s)")
    add("--strict", action="store_true", help="refuse recordings that are damaged or cut short")
    add("-q", "--quiet", action="store_true", help="print problems only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
