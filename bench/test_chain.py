"""The effect and the plugin as a host runs them: blocks of 512 stereo samples, one after the other."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import pytest

import pyvocsep

RATE = 44_100
BLOCK = 512


@pytest.mark.parametrize("kind", ["StemMixer", "VST3"])
def test_block(benchmark: Any, kind: str) -> None:
    if kind == "VST3":
        pytest.importorskip("pedalboard")
        effect: Any = pyvocsep.load_vst3()
    else:
        effect = pyvocsep.StemMixer()
    noise = (0.1 * np.random.default_rng(0).standard_normal((2, 64 * BLOCK))).astype(np.float32)
    effect.process(noise[:, :BLOCK], RATE, BLOCK, reset=True)  # prepared for these blocks
    blocks = cycle(np.split(noise, 64, axis=1))
    benchmark.group = "a block of 512 stereo samples at 44.1 kHz"
    benchmark.extra_info["budget_seconds"] = BLOCK / RATE
    # A frame ends in one block of two: the percentiles near the top are those of its blocks.
    benchmark.pedantic(
        lambda block: effect.process(block, RATE, BLOCK, reset=False),
        setup=lambda: ((next(blocks),), {}),
        rounds=6000,
        warmup_rounds=20,
    )
