"""The `pyvocsep` command: separates audio files."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from pyvocsep.cli.batch import Batch
from pyvocsep.cli.messages import Console, message
from pyvocsep.cli.options import parser
from pyvocsep.cli.pipes import Cancellation
from pyvocsep.console import ended_like_interrupted, open_standard_streams, quiet_c_libraries

_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on `arguments` (default: those of the process) and return its exit status.

    0: all files are separated, or skipped. 1: some file was not, the others are. 2: wrong usage, nothing was
    done. 3: all files are separated, but some are damaged or cut short, as warnings say.
    128 + a signal's number: interrupted (130), terminated (143), the terminal gone (129) or the reader of
    standard output gone (141); no part of a file is left.
    """
    closed = open_standard_streams()
    with quiet_c_libraries():
        console = Console()
        try:
            with ended_like_interrupted(), Cancellation() as cancellation:
                try:
                    batch = Batch(parser().parse_args(arguments), console, closed, cancellation)
                except (OSError, ValueError, RuntimeError, ImportError) as error:
                    console.complain(message(error))
                    return _USAGE
                return batch.run()
        except KeyboardInterrupt as interrupt:
            console.complain("interrupted")
            return 128 + int(interrupt.args[0] if interrupt.args else signal.SIGINT)
        finally:
            console.finish()
