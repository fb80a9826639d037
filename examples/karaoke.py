"""Take the voice out of a song, or turn it down.

    python examples/karaoke.py song.mp3 karaoke.wav [--vocals-db -12]

Block by block: a file of any length takes little memory.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import soundfile

import pyvocsep


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Take the voice out of a song.")
    parser.add_argument("song", type=Path)
    parser.add_argument("output", type=Path, help="the file to write; the suffix tells the format")
    parser.add_argument("--vocals-db", type=float, default=-math.inf, help="level to keep (none)")
    options = parser.parse_args()

    effect = pyvocsep.StemMixer.karaoke()
    effect.vocals_db = options.vocals_db
    with soundfile.SoundFile(options.song) as song:
        subtype = "FLOAT" if soundfile.check_format(options.output.suffix[1:], "FLOAT") else None
        with soundfile.SoundFile(options.output, "w", song.samplerate, song.channels, subtype) as output:
            for block in song.blocks(song.samplerate, dtype="float32", always_2d=True):
                output.write(effect.process(block, song.samplerate, reset=False))
            output.write(effect.flush())


if __name__ == "__main__":
    main()
