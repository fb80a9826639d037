"""What can be said on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from pyvocsep import __version__
from pyvocsep.arrays import STEMS
from pyvocsep.console import positive
from pyvocsep.engines.registry import PRECISIONS
from pyvocsep.engines.surround import CHANNELS
from pyvocsep.files.formats import RAW, SUBTYPES
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN
from pyvocsep.files.ownership import EXISTING
from pyvocsep.files.raw_stream import raw_layout
from pyvocsep.models import DEFAULT_FOR_FILES, shipped_models

PIPE = "-"
"""Standard input as a file, standard output as the folder."""

_EPILOG = """\
Without -o the stems are written beside each file, as 32-bit float WAV: song.mp3 gives song.vocals.wav and
song.accompaniment.wav. A file that pyvocsep did not write is never replaced, unless --existing replace asks
for it. A folder stands for the audio files in it and below, less those that pyvocsep wrote; with -o its tree
is kept.

  pyvocsep album/ -o out --existing skip
  ffmpeg -i song.m4a -f wav - | pyvocsep - -o - --stem vocals | ffmpeg -i - vocals.mp3

Exit status: 0 all separated; 1 some file was not; 2 wrong usage; 3 all separated, but a file is damaged or
cut short and only a part of it is there."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (pyvocsep --help shows the options)")


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it does not understand is a ValueError."""
    parser = _Parser(
        prog="pyvocsep",
        description="Separate songs into vocals and accompaniment.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument_group("what to separate").add_argument
    add(
        "files",
        nargs="*",
        metavar="FILE",
        help="WAV, FLAC, OGG, MP3, AIFF; a folder; a pattern as '*.flac'; - for standard input",
    )
    add(
        "--files-from",
        metavar="LIST",
        help="a file of file names, a line each (or a zero byte); - for standard input",
    )
    add(
        "--raw",
        type=_raw,
        metavar="RATE,CHANNELS",
        help="what comes in, and with -o - goes out, is 32-bit float samples without a header, as 44100,2",
    )
    add(
        "--channels",
        choices=CHANNELS,
        help="of files with more than two: the first two; all, in pairs; a stereo downmix",
    )
    add("--strict", action="store_true", help="refuse files that are damaged or cut short")

    add = parser.add_argument_group("what to write").add_argument
    add(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        help="folder for the stems, made if need be; - for standard output",
    )
    add("--stem", action="append", choices=STEMS, help="write only this stem (can be repeated)")
    add(
        "--mix",
        type=float,
        metavar="DB",
        help="write the song with its vocals so much louder, instead of the stems: -60 for karaoke",
    )
    add(
        "--format",
        choices=(*SUBTYPES, RAW),
        help="of the stems; samples as in the input where it can hold them",
    )
    add("--subtype", help="of the samples, as PCM_16, PCM_24, FLOAT or OPUS")
    add("--quality", type=float, metavar="Q", help="of mp3 and ogg, 0 to 10 (about 245 kb/s in MP3)")
    add("--bitrate", type=float, metavar="KBPS", help="of mp3 and opus, in place of a quality")
    add(
        "--name",
        default=DEFAULT_NAME_PATTERN,
        metavar="PATTERN",
        help="of the stems' files, with {name}, {stem} and {ext}, the input's suffix (%(default)s)",
    )
    add(
        "--existing",
        choices=EXISTING,
        default=EXISTING[0],
        help="of files in the way: replace ours alone; skip songs that have their stems; replace any; error "
        "(%(default)s)",
    )

    add = parser.add_argument_group("how").add_argument
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
    add("--report", metavar="FILE", type=Path, help="write what became of each file, a line of JSON each")
    add("-q", "--quiet", action="store_true", help="print problems only")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _raw(text: str) -> tuple[int, int]:
    try:
        return raw_layout(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
