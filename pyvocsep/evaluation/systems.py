"""What separates: the package as everybody uses it, PyTorch as its second opinion, and two marks of scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
ENGINES = ("core", "core-bfloat16", "core-int8", "torch")
ORACLE, UNPROCESSED = "ideal-ratio-mask", "mixture"


@dataclass(frozen=True)
class Mixture:
    """A recording of which the stems are known: each (channels, samples)."""

    vocals: Audio
    accompaniment: Audio
    sample_rate: int

    @property
    def audio(self) -> Audio:
        """What a separator is given."""
        return self.vocals + self.accompaniment

    @property
    def stems(self) -> Audio:
        """(stems, channels, samples), vocals first."""
        return np.stack([self.vocals, self.accompaniment])


System = Callable[[Mixture], Audio]
"""From a mixture to its estimated stems (2, channels, samples). Only the oracle looks at the true ones."""


def system(name: str, engine: str = "core") -> System:
    """A model, by a shipped name or its file, run by one of ``ENGINES``; or ``ORACLE`` or ``UNPROCESSED``."""
    if name == ORACLE:
        return ideal_ratio_mask
    if name == UNPROCESSED:
        return unprocessed
    precision = engine.partition("-")[2] or "float32"
    vocals = _torch(name) if engine == "torch" else _core(name, precision)

    def separate(mixture: Mixture) -> Audio:
        found = vocals(mixture.audio, mixture.sample_rate)
        return np.stack([found, mixture.audio - found])

    return separate


def _core(model: str, precision: str) -> Callable[[Audio, int], Audio]:
    """``pyvocsep.process``, as a user calls it."""
    import pyvocsep
    from pyvocsep.engines.registry import check_model

    check_model(model, precision)

    def vocals(audio: Audio, sample_rate: int) -> Audio:
        return pyvocsep.process(audio, sample_rate, model=model, precision=precision).vocals

    return vocals


def _torch(model: str) -> Callable[[Audio, int], Audio]:
    """The PyTorch network of the same file."""
    from pyvocsep.models import model_path
    from pyvocsep.training.export import load_model
    from pyvocsep.training.loop import separate

    network, _ = load_model(model_path(model))
    return lambda audio, sample_rate: separate(network, audio, sample_rate)


def unprocessed(mixture: Mixture) -> Audio:
    """The mixture as the estimate of either stem: what every separator starts from."""
    return np.stack([mixture.audio, mixture.audio])


def ideal_ratio_mask(mixture: Mixture) -> Audio:
    """The mask |V| / (|V| + |A|) from the true stems, of mid and side: what such masks can reach.

    Its frames are those of our models: 1024 samples at 16 kHz, 2048 at 44.1 kHz, half overlapped, with a
    sqrt-Hann window.
    """
    from pyvocsep.grid import analyse, rotate, synthesise
    from pyvocsep.training.models import MUSIC_GRID, SPEECH_GRID

    grid = SPEECH_GRID if mixture.sample_rate <= SPEECH_GRID.sample_rate else MUSIC_GRID
    frame = grid.frame_length(mixture.sample_rate)
    hop = frame // grid.overlap
    samples = mixture.audio.shape[-1]
    past = frame - hop
    count = -(-(samples + past) // hop)
    margins = ((0, 0), (past, (count - 1) * hop + frame - past - samples))
    vocals, accompaniment = (rotate(analyse(np.pad(stem, margins), frame, hop)) for stem in mixture.stems)
    shares = np.abs(vocals) + 1e-9, np.abs(accompaniment) + 1e-9
    masked = (vocals + accompaniment) * (shares[0] / (shares[0] + shares[1]))
    found = synthesise(rotate(masked).astype(np.complex64), frame, hop)[:, past : past + samples]
    return np.stack([found, mixture.audio - found])
