"""What separates: the package as everybody uses it, or PyTorch as its second opinion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
Engine = Callable[[Audio, int], Audio]
"""From a mixture (channels, samples) and its rate in Hz to its vocals; the rest is the accompaniment."""

ENGINES = ("core", "torch")


def core(model: str) -> Engine:
    """``pyvocsep.process`` with a shipped model's name or a model file."""
    import pyvocsep

    return lambda mixture, sample_rate: pyvocsep.process(mixture, sample_rate, model=model).vocals


def torch(model: str) -> Engine:
    """The PyTorch network of the same file."""
    from pyvocsep.models import model_path
    from pyvocsep.training.export import load_model
    from pyvocsep.training.loop import separate

    network, _ = load_model(model_path(model))
    return lambda mixture, sample_rate: separate(network, mixture, sample_rate)
