"""Put the voice of a song into a hall, and leave the band dry.

    pip install "pyvocsep[pedalboard]"
    python examples/vocals_with_reverb.py song.mp3 hall.wav [--send-db -6]

As at a mixing desk: the song stays as it is, and the hall's answer to the voice alone is added. A Board keeps
it in time with the song.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pedalboard
import soundfile

import pyvocsep


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Put the voice of a song into a hall; the band stays dry.")
    parser.add_argument("song", type=Path)
    parser.add_argument("output", type=Path, help="the file to write; the suffix tells the format")
    parser.add_argument("--send-db", type=float, default=-6.0, help="how much voice goes there (%(default)s)")
    options = parser.parse_args()

    send = pyvocsep.Board(
        [
            pyvocsep.StemMixer.vocals(),
            pedalboard.HighpassFilter(200),
            pedalboard.Reverb(room_size=0.8, wet_level=1.0, dry_level=0.0),
            pedalboard.Gain(options.send_db),
        ]
    )
    song, rate = soundfile.read(options.song, dtype="float32", always_2d=True)
    soundfile.write(options.output, song + send(song, rate), rate)


if __name__ == "__main__":
    main()
