"""Long runs, by hand: python tests/soak/run.py {file [--hours 8] | instances [--minutes 3]}

`file`: the command separates one very long recording; its memory is read as it goes. `instances`: many
streams in threads of one process, of all rates, channels, block sizes and numbers of threads, each compared
with the bits of one call on the whole signal, again and again. The exit status is 1 where memory grows or a
bit differs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

import pyvocsep

RATE = 44_100
GROWTH_MB = 10


def resident_mb(process: int | str = "self") -> float:
    """Return the memory of a process, in MB (Linux)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0  # it has just ended


def flat(memory: list[float]) -> bool:
    """Print the memory along the run; True if it stays what it was after the first quarter."""
    start, *_ = at = [round(share * (len(memory) - 1)) for share in (0.25, 0.5, 0.75, 1)]
    print("memory in MB:", ", ".join(f"{memory[index]:.0f}" for index in at), f"(most {max(memory):.0f})")
    return max(memory[start:]) < memory[start] + GROWTH_MB


def long_file(hours: float) -> bool:
    """Separate a recording of so many hours into FLAC."""
    rng = np.random.default_rng(0)
    minute = (rng.uniform(-0.25, 0.25, (60 * RATE, 2)) * 32767).astype(np.int16)
    minutes = round(60 * hours)
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder, "song.wav")
        with soundfile.SoundFile(song, "w", RATE, 2, "PCM_16", format="RF64") as file:
            for _ in range(minutes):
                file.write(minute)
        command = [sys.executable, "-P", "-m", "pyvocsep", str(song), "--stem", "vocals", "--format", "flac"]
        began, memory = time.monotonic(), []
        with subprocess.Popen(command) as process:
            while process.poll() is None:
                memory.append(resident_mb(process.pid))
                time.sleep(0.5)
        frames = soundfile.info(song.with_suffix(".vocals.flac")).frames
    seconds = time.monotonic() - began
    print(f"{hours:g} hours of {RATE} Hz stereo in {seconds:.0f} s, {3600 * hours / seconds:.0f} x real time")
    return flat([mb for mb in memory if mb]) and process.returncode == 0 and frames == minutes * 60 * RATE


def instances(count: int, minutes: float) -> bool:
    """Run so many streams at once; True if all bits are those of one call and memory stays."""
    end = time.monotonic() + 60 * minutes
    faults: list[str] = []
    passes = [0] * count

    def stream(number: int) -> None:
        rng = np.random.default_rng(number)
        rate = (8_000, 16_000, 22_050, 44_100, 48_000, 96_000)[number % 6]
        channels, threads = 1 + number % 2, 1 + number // 12
        audio = rng.uniform(-0.5, 0.5, (channels, 4 * rate)).astype(np.float32)
        expected = pyvocsep.process(audio, rate)
        separator = pyvocsep.Separator(rate, channels, threads=threads)
        while time.monotonic() < end and not faults:
            parts, at = [], 0
            while at < audio.shape[1]:
                block = audio[:, at : at + int(rng.integers(1, 3000))]
                parts.append(separator.process(block))
                at += block.shape[1]
            parts.append(separator.flush())
            for stem, whole in enumerate((expected.vocals, expected.accompaniment)):
                joined = np.concatenate([part[stem] for part in parts], axis=1)[
                    :, separator.latency_samples :
                ]
                if not np.array_equal(joined, whole):
                    faults.append(
                        f"stream {number}: {rate} Hz, {channels} channels, {threads} threads differ"
                    )
            passes[number] += 1
            separator.reset()

    workers = [threading.Thread(target=stream, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    memory = []
    while any(worker.is_alive() for worker in workers):
        memory.append(resident_mb())
        time.sleep(0.5)
    print(f"{count} streams for {minutes:g} minutes, each separated {min(passes)} to {max(passes)} times")
    print(*faults, sep="\n")
    return flat(memory) and not faults and min(passes) > 0


def main() -> int:
    parser = argparse.ArgumentParser(description="long runs")
    parser.add_argument("what", choices=["file", "instances"])
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=3)
    options = parser.parse_args()
    good = long_file(options.hours) if options.what == "file" else instances(options.count, options.minutes)
    print("good" if good else "NOT GOOD")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
