"""Run a song through the effect as a sound card would, block by block, and measure what time is left.

    python examples/live_loop.py song.mp3 [--block 512] [--output out.wav]

A sound card asks for the next block when it has played one: a block that takes longer to compute than to play
is heard as a click. So the slowest blocks count, not the average.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile

import pyvocsep


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run a song through the effect as if live.")
    parser.add_argument("song", type=Path)
    parser.add_argument("--block", type=int, default=512, help="samples at once (%(default)s)")
    parser.add_argument("--output", type=Path, help="write what would be heard")
    options = parser.parse_args()

    song, rate = soundfile.read(options.song, dtype="float32", always_2d=True)
    effect = pyvocsep.StemMixer.karaoke()
    effect.process(song[:0], rate, reset=False)  # allocates: not while the music plays

    heard, seconds = [], []
    for start in range(0, len(song), options.block):
        block = song[start : start + options.block]
        began = perf_counter()
        heard.append(effect.process(block, rate, reset=False))
        seconds.append(perf_counter() - began)
    heard.append(effect.flush())
    if options.output:
        soundfile.write(options.output, np.concatenate(heard), rate)

    budget = options.block / rate
    print(f"{len(seconds)} blocks of {options.block} samples: {1e3 * budget:.2f} ms to compute each")
    for name, quantile in [("median", 0.5), ("99.9 %", 0.999), ("worst", 1.0)]:
        time = np.quantile(seconds, quantile)
        print(f"{name:>7}: {1e3 * time:6.2f} ms, {time / budget:4.0%} of the budget")
    print(f"latency: {1e3 * effect.latency_samples / rate:.0f} ms")


if __name__ == "__main__":
    main()
