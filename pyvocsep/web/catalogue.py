"""What a visitor is told of each model: what it is, its latency, its speed on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

import pyvocsep
from pyvocsep.engines.registry import PRECISIONS
from pyvocsep.models import model_path, shipped_models

_RATE = 44_100
_PROBE_S = 4.0


@dataclass(frozen=True)
class Entry:
    """A model of the page.

    Attributes:
        name: as `process` takes it.
        about: the first sentences of its card.
        latency_ms: how late a stream comes out; None for a model that takes whole recordings only.
    """

    name: str
    about: str
    latency_ms: float | None


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Return the models that run here, by name; one whose engine is not installed is left out."""
    found = {}
    for name in shipped_models():
        try:
            separator = pyvocsep.Separator(_RATE, 2, name)
        except ImportError:
            continue
        latency_ms = 1000 * separator.latency_samples / _RATE
        found[name] = Entry(name, _about(name), latency_ms or None)
    return found


@lru_cache(maxsize=64)
def precisions(model: str) -> tuple[str, ...]:
    """Return the precisions that a model has on this machine."""
    possible = []
    for precision in PRECISIONS:
        try:
            pyvocsep.Separator(_RATE, 2, model, precision=precision)
        except ValueError:
            continue
        possible.append(precision)
    return tuple(possible)


@lru_cache(maxsize=64)
def speed(model: str, precision: str) -> float:
    """Return the seconds of stereo that this machine separates in a second, measured once on noise."""
    noise = np.random.default_rng(0).standard_normal((2, round(_PROBE_S * _RATE))).astype(np.float32) / 8
    pyvocsep.process(noise[:, :_RATE], _RATE, model=model, precision=precision)  # reads the model
    began = time.perf_counter()
    pyvocsep.process(noise, _RATE, model=model, precision=precision)
    return _PROBE_S / (time.perf_counter() - began)


def line(entry: Entry, precision: str) -> str:
    """Return one line on a model."""
    latency = (
        "Whole recordings only, no live use"
        if entry.latency_ms is None
        else f"Live latency {entry.latency_ms:.0f} ms"
    )
    times = f"{float(f'{speed(entry.name, precision):.2g}'):.0f}"  # two digits: it is one measurement
    return f"{entry.about} {latency}, about {times} x real time here."


def _about(name: str) -> str:
    """Return the paragraph after the title of a model's card, on one line."""
    card = model_path(name).with_suffix(".md").read_text(encoding="utf-8")
    paragraphs = [" ".join(part.split()) for part in card.split("\n\n")]
    return paragraphs[1]
