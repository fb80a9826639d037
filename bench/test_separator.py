"""The separator and its network alone, beside the same network in onnxruntime and torch; one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pyvocsep
from pyvocsep import _core, _testing
from pyvocsep.engines.registry import PRECISIONS as ALL
from pyvocsep.models import DEFAULT_FOR_FILES, model_path

RATE = 44_100
MODELS = ["band-gru", "gru"]
PRECISIONS = [name for name in ALL if _core.has_precision(getattr(_core.Precision, name))]


@pytest.fixture
def timed(benchmark: Any) -> Callable[..., None]:
    def run(group: str, seconds: float, function: Callable[[], object]) -> None:
        benchmark.group = group
        benchmark.extra_info["audio_seconds"] = seconds
        benchmark.pedantic(function, rounds=5, warmup_rounds=1)

    return run


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model", [*MODELS, DEFAULT_FOR_FILES])
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_process(
    timed: Callable[..., None], audio: NDArray[np.float32], model: str, rate: int, precision: str
) -> None:
    seconds = audio.shape[1] / rate
    timed(
        "process, stereo, one call",
        seconds,
        lambda: pyvocsep.process(audio, rate, model=model, precision=precision),
    )


def test_process_cnn(timed: Callable[..., None], audio: NDArray[np.float32]) -> None:
    timed(
        "process, stereo, one call", audio.shape[1] / RATE, lambda: pyvocsep.process(audio, RATE, model="cnn")
    )


def test_process_mono(timed: Callable[..., None], audio: NDArray[np.float32]) -> None:
    timed("process, mono, one call", audio.shape[1] / RATE, lambda: pyvocsep.process(audio[0], RATE))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("threads", [1, 2])
def test_threads(
    timed: Callable[..., None], audio: NDArray[np.float32], threads: int, precision: str
) -> None:
    def run() -> object:
        return pyvocsep.process(audio, RATE, threads=threads, precision=precision)

    timed(f"process, {precision}, by threads", audio.shape[1] / RATE, run)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be bound")
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_on_one_processor(
    timed: Callable[..., None], audio: NDArray[np.float32], threads: int
) -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        timed(
            "process on one processor, by threads",
            audio.shape[1] / RATE,
            lambda: pyvocsep.process(audio, RATE, threads=threads),
        )
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("block", [64, 512, 1024, 8192])
def test_streaming(timed: Callable[..., None], audio: NDArray[np.float32], block: int) -> None:
    separator = pyvocsep.Separator(RATE, 2)

    def stream() -> None:
        for start in range(0, audio.shape[1], block):
            separator.process(audio[:, start : start + block])

    timed("Separator.process, by block size", audio.shape[1] / RATE, stream)


@pytest.mark.parametrize("block", [0, 1, 512], ids=["no samples, the call alone", "1", "512"])
def test_cost_of_a_sample(benchmark: Any, audio: NDArray[np.float32], block: int) -> None:
    """The core in one-sample blocks beside 512; a block without samples costs only the call from Python."""
    samples = 86 * 512  # a second
    calls = samples // (block or 1)
    core = _core.Separator(_core.Model(str(model_path("band-gru"))), RATE, 2)
    blocks = [audio[:, :0].copy()] * calls
    if block:
        blocks = list(np.stack(np.split(audio[:, :samples], calls, axis=1)))
    vocals, accompaniment = np.empty((2, 2, block), np.float32)

    def stream() -> None:
        for mixture in blocks:
            core.process(mixture, vocals, accompaniment)

    benchmark.group = "core, cost of a sample by block size"
    benchmark.extra_info["samples"] = samples
    benchmark.pedantic(stream, rounds=5, warmup_rounds=1)


class Network:
    """One model's network in three engines: from spectra (2, frames, bins), or their magnitudes, to masks."""

    def __init__(self, name: str, audio: NDArray[np.float32], folder: Path) -> None:
        torch = pytest.importorskip("torch")
        onnxruntime = pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
        from pyvocsep.training.export import load_model, save_onnx

        torch.set_num_threads(1)
        self.torch = torch
        self.network, _ = load_model(model_path(name))
        model = _core.Model(str(model_path(name)))
        self.seconds = audio.shape[1] / model.sample_rate  # the same samples, taken as the model's rate
        self.estimators = {}
        for precision in PRECISIONS:
            rounded = _core.Model(str(model_path(name)), getattr(_core.Precision, precision))
            self.estimators[precision] = _testing.MaskEstimator(rounded, model.sample_rate, 2)
        frames = np.lib.stride_tricks.sliding_window_view(audio, model.n_fft, axis=1)[:, :: model.hop]
        window = np.sin(np.pi * np.arange(model.n_fft) / model.n_fft)
        self.spectra = np.fft.rfft(frames * window).astype(np.complex64)
        spectra = torch.from_numpy(self.spectra).permute(1, 2, 0)[None]
        self.magnitudes = self.network.features(spectra, model.n_fft)
        magnitudes = self.magnitudes.numpy()
        self.frames = [np.ascontiguousarray(magnitudes[:, t : t + 1]) for t in range(magnitudes.shape[1])]
        self.state = self.network.initial_state()
        save_onnx(self.network, folder / "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )

    def run(self, engine: str) -> Callable[[], object]:
        """What to time: one of ``ENGINES``, or of ``STREAMING_ENGINES``."""
        name, _, frame_by_frame = engine.partition(", ")
        if name.startswith("core "):
            estimator = self.estimators[name.removeprefix("core ")]
            frames = [np.ascontiguousarray(self.spectra[:, t : t + 1]) for t in range(self.spectra.shape[1])]
            blocks = frames if frame_by_frame else [self.spectra]
            return lambda: [estimator.masks(block) for block in blocks]
        if frame_by_frame:
            return self.in_onnxruntime_frame_by_frame
        return self.in_onnxruntime if name == "onnxruntime" else self.in_torch

    def in_torch(self) -> object:
        with self.torch.inference_mode():
            return self.network(self.magnitudes, self.state)

    def in_onnxruntime(self) -> object:
        return self.session.run(None, {"magnitudes": self.magnitudes.numpy(), "state": self.state.numpy()})

    def in_onnxruntime_frame_by_frame(self) -> None:
        state = self.state.numpy()
        for frame in self.frames:
            _, state = self.session.run(None, {"magnitudes": frame, "state": state})


@pytest.fixture(scope="module", params=MODELS)
def network(
    request: pytest.FixtureRequest, audio: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> Network:
    return Network(request.param, audio, tmp_path_factory.mktemp("onnx"))


CORES = [f"core {precision}" for precision in PRECISIONS]
ENGINES = [*CORES, "onnxruntime", "torch"]
STREAMING_ENGINES = {f"{engine}, frame by frame": engine for engine in [*CORES, "onnxruntime"]}


@pytest.mark.parametrize("engine", ENGINES)
def test_network(timed: Callable[..., None], network: Network, engine: str) -> None:
    timed(f"network alone, {network.network.architecture}", network.seconds, network.run(engine))


@pytest.mark.parametrize("engine", STREAMING_ENGINES, ids=STREAMING_ENGINES.values())
def test_network_frame_by_frame(timed: Callable[..., None], network: Network, engine: str) -> None:
    group = f"network alone, frame by frame, {network.network.architecture}"
    timed(group, network.seconds, network.run(engine))
