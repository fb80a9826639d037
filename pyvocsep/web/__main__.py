"""`python -m pyvocsep.web`: start the page."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence

from pyvocsep.console import count, positive
from pyvocsep.web import settings

_NEEDED = ("streamlit", "plotly")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on `arguments` (default: those of the process) and return its exit status."""
    options = _parser().parse_args(arguments)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f'pyvocsep.web: the page needs {" and ".join(missing)}: pip install "pyvocsep[web]"',
            file=sys.stderr,
        )
        return 2
    settings.use(
        settings.Settings(
            max_minutes=options.max_minutes,
            max_upload_mb=options.max_upload,
            workers=options.jobs,
            queue=options.queue,
            cache_mb=options.cache,
        )
    )
    from pyvocsep.web import server

    server.run(options.host, options.port, options.browser)
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = settings.Settings()
    parser = argparse.ArgumentParser(
        prog="python -m pyvocsep.web",
        description="Serve a page that separates songs, to this machine only unless --host says otherwise.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on; 0.0.0.0 is every one (%(default)s)")
    add("--port", type=int, default=8501, help="(%(default)s)")
    add("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    add(
        "--max-minutes",
        type=_positive_number,
        default=defaults.max_minutes,
        metavar="MINUTES",
        help="the longest recording that is taken (%(default)g)",
    )
    add("--max-upload", type=positive, default=defaults.max_upload_mb, metavar="MB", help="(%(default)s)")
    add("--jobs", type=positive, default=defaults.workers, metavar="N", help="songs at a time (%(default)s)")
    add("--queue", type=count, default=defaults.queue, metavar="N", help="songs that wait (%(default)s)")
    add(
        "--cache",
        type=positive,
        default=defaults.cache_mb,
        metavar="MB",
        help="memory for finished songs; four minutes of stereo take 170 MB (%(default)s)",
    )
    return parser


def _positive_number(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
