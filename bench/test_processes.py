"""Whole processes: peak memory, start-up, and how both time and memory grow with the length of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from children import PRINT_PEAK, peak_mb, run
from numpy.typing import NDArray

import pyvocsep
from pyvocsep.models import model_path

RATE = 44_100
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")

COMMAND = "import sys; from pyvocsep.cli import main; main(sys.argv[1:])" + PRINT_PEAK
NETWORKS = {
    "onnxruntime": """
import sys, numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
shapes = {node.name: node.shape for node in session.get_inputs()}
state = np.zeros([size if isinstance(size, int) else 1 for size in shapes["state"]], np.float32)
session.run(None, {"magnitudes": np.load(sys.argv[2]), "state": state})
""",
    "torch": """
import sys, numpy as np, torch
from pathlib import Path
from pyvocsep.training.export import load_model
torch.set_num_threads(1)
network, _ = load_model(Path(sys.argv[1]))
with torch.inference_mode():
    network(torch.from_numpy(np.load(sys.argv[2])), network.initial_state())
""",
}
STARTS = {
    "python alone": "",
    "import numpy": "import numpy",
    "import onnxruntime": "import onnxruntime",
    "import torch": "import torch",
    "import pyvocsep": "import pyvocsep",
    "import pyvocsep, load the model, separate one block": """
import numpy, pyvocsep
pyvocsep.Separator(44100, 2).process(numpy.zeros((2, 1024), numpy.float32))
""",
}


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory, audio: NDArray[np.float32]) -> Path:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, audio.T, RATE, "PCM_16")
    return path


@linux_only
def test_memory_of_the_command(benchmark: Any, song: Path, tmp_path: Path) -> None:
    """All of `pyvocsep SONG`, a minute of 44.1 kHz stereo from file to files."""
    _memory(benchmark, lambda: run(COMMAND, str(song), "-o", str(tmp_path), "-q"))


@linux_only
@pytest.mark.parametrize("engine", NETWORKS)
def test_memory_of_the_network(
    benchmark: Any, engine: str, audio: NDArray[np.float32], tmp_path: Path
) -> None:
    """The network alone on the magnitudes of the same minute, which the process has to hold, too."""
    pytest.importorskip("torch")
    pytest.importorskip(engine)
    pytest.importorskip("onnx")
    from pyvocsep.training.export import load_model, save_onnx

    network, _ = load_model(model_path("band-gru"))
    frames = audio.shape[1] // network.grid.hop
    np.save(tmp_path / "x.npy", np.full((1, frames, network.grid.bins, 4), 0.1, np.float32))
    weights = model_path("band-gru")
    if engine == "onnxruntime":
        weights = tmp_path / "model.onnx"
        save_onnx(network, weights)
    _memory(benchmark, lambda: run(NETWORKS[engine] + PRINT_PEAK, str(weights), str(tmp_path / "x.npy")))


def _memory(benchmark: Any, child: Any) -> None:
    benchmark.group = "peak memory of a process that separates a minute of stereo"
    benchmark.extra_info["peak_mb"] = peak_mb(benchmark.pedantic(child, rounds=1))


@pytest.mark.parametrize("start", STARTS)
def test_start(benchmark: Any, start: str) -> None:
    if "torch" in start or "onnxruntime" in start:
        pytest.importorskip(start.split()[-1])
    benchmark.group = "start-up: a process, from nothing to its end"
    benchmark.pedantic(lambda: run(STARTS[start]), rounds=9, warmup_rounds=1)


@pytest.mark.parametrize("seconds", [1, 10, 60, 600, 3600])
def test_length(benchmark: Any, seconds: int, audio: NDArray[np.float32], tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for _ in range(-(-seconds // 60)):
            file.write(audio.T[: min(seconds, 60) * RATE])
    benchmark.group = "process, file to files, by length in seconds"
    benchmark.extra_info["audio_seconds"] = seconds
    rounds = 5 if seconds <= 60 else 1
    benchmark.pedantic(
        lambda: pyvocsep.process(path, output_dir=tmp_path / "out", stems=["vocals"]), rounds=rounds
    )


@linux_only
@pytest.mark.parametrize("seconds", [60, 3600])
def test_memory_by_length(benchmark: Any, seconds: int, audio: NDArray[np.float32], tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for _ in range(seconds // 60):
            file.write(audio.T)
    benchmark.group = "peak memory of the command, by length in seconds"
    child = [str(path), "-o", str(tmp_path), "-q", "--stem", "vocals"]
    benchmark.extra_info["peak_mb"] = peak_mb(benchmark.pedantic(lambda: run(COMMAND, *child), rounds=1))
