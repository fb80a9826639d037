"""The programs of examples/c and examples/cpp against Python: the same bits, in blocks of 1, 64 and 4096.

python check_examples.py PROGRAM...
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import pyvocsep
from pyvocsep.models import model_path

SONGS = {"stereo.wav": (44_100, 2), "mono.wav": (48_000, 1)}


def main(programs: list[Path]) -> None:
    folder = Path(tempfile.mkdtemp())
    random = np.random.default_rng(1)
    for name, (rate, channels) in SONGS.items():
        soundfile.write(folder / name, 0.2 * random.standard_normal((2 * rate + 77, channels)), rate, "FLOAT")
        for model, arguments in (("band-gru", []), ("gru", [model_path("gru")])):
            stems = pyvocsep.process(folder / name, model=model)
            for program in programs:
                for block in (1, 64, 4096):
                    subprocess.run([program, name, str(block), *arguments], cwd=folder, check=True)
                    for stem in ("vocals", "accompaniment"):
                        written, written_rate = soundfile.read(
                            folder / f"{stem}.wav", dtype="float32", always_2d=True
                        )
                        assert written_rate == rate, (program, name, written_rate)
                        expected = getattr(stems, stem)
                        assert np.array_equal(written.T, expected), (program, name, model, block, stem)
                        assert abs(expected).max() > 0.01, (name, model, stem)
        print(f"{name}: {len(programs)} programs, the bits of Python's stems")


if __name__ == "__main__":
    main([Path(program).resolve() for program in sys.argv[1:]])
