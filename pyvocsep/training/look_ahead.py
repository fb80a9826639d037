"""Future context for a stream: a GRU backwards along time, over chunks at fixed places.

With C frames to a chunk and R frames of context after it, the states of chunk k (frames kC to kC + C - 1,
counted from the beginning of the stream) come from a way back that begins with zeros at frame kC + C + R - 1
and ends at frame kC: the latency-controlled bidirectional network of Zhang et al., "Highway long short-term
memory RNNs for distant speech recognition" (2016), with GRUs. Chunks at fixed places do not depend on how a
stream is cut into calls, and need the memory of C + R frames.

Frame kC waits for frame kC + C + R - 1, so that every block that looks ahead adds C + R - 1 frames of delay;
its cost is that of (C + R) / C causal GRUs along time. With hops of 23 ms:

    C    R    a frame hears       delay of a block     cost
    32   16   16 to 47 frames     47 frames, 1.09 s    1.50
    48   16   16 to 63 frames     63 frames, 1.46 s    1.33   (the recipe `band-gru-files`)
    64   16   16 to 79 frames     79 frames, 1.83 s    1.25

Two of four blocks make a step of training 1.34 times as long with 32 and 16, 1.24 times with 64 and 16.

A stream's last frames have silence after them, as many frames of it as the network looks ahead. A training
example ends in the middle of a song: there the way back begins with zeros at the example's last frame, as it
does at the end of any context, and its last R frames learn with less context than they are going to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from pyvocsep._core import limits

from .recurrence import RMSNorm, run_gru


@dataclass(frozen=True)
class LookAhead:
    """Which blocks look ahead, and how far: chunks of ``chunk`` frames with ``context`` frames after them."""

    blocks: tuple[int, ...]
    chunk: int
    context: int

    @classmethod
    def of_table(cls, table: Mapping[str, Any], blocks: int) -> LookAhead:
        """From a recipe's ``look_ahead = { blocks = [1, 3], chunk = 48, context = 16 }``, for a network of
        so many blocks; ValueError if it makes no sense.
        """
        names = [field.name for field in fields(cls)]
        if sorted(table) != sorted(names):
            raise ValueError(f"look_ahead has the keys {', '.join(table)}; it must have {', '.join(names)}")
        made = cls(tuple(table["blocks"]), table["chunk"], table["context"])
        if not made.blocks or sorted(set(made.blocks) & set(range(blocks))) != list(made.blocks):
            raise ValueError(
                f"look_ahead.blocks is {list(made.blocks)}; it must name, in order, some of the blocks 0 to "
                f"{blocks - 1}"
            )
        if made.chunk < 1 or made.context < 0:
            raise ValueError(
                f"look_ahead has chunks of {made.chunk} and a context of {made.context} frames; they must be "
                "at least 1 and 0"
            )
        if made.frames > limits.MAX_FRAMES_AHEAD:
            raise ValueError(
                f"look_ahead is {made.frames} frames in all; at most {limits.MAX_FRAMES_AHEAD} are possible"
            )
        return made

    @property
    def frames(self) -> int:
        """Frames that the masks are late."""
        return len(self.blocks) * (self.chunk + self.context - 1)


class BackwardStep(nn.Module):
    """The GRU backwards along time of a block that looks ahead: its states, for the block to add."""

    def __init__(self, dim: int, look_ahead: LookAhead):
        super().__init__()
        self.chunk, self.context = look_ahead.chunk, look_ahead.context
        self.norm = RMSNorm(dim)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return run_backwards(self.gru, self.norm(x), self.chunk, self.context)


def run_backwards(gru: nn.GRU, x: Tensor, chunk: int, context: int) -> Tensor:
    """The states (batch, frames, bands, hidden) of ``gru`` run backwards over the chunks of x (batch,
    frames, bands, dim), each of them from zeros.
    """
    steps = chunk + context
    frame = torch.arange(x.shape[1], device=x.device)
    # Where each chunk's way back begins. Those that the end cuts short go on past the chunk's first frame,
    # to no effect on the states that count.
    begin = torch.minimum(frame[::chunk] + (steps - 1), frame[-1])
    way = (begin[:, None] - torch.arange(steps, device=x.device)).clamp_min(0)
    chunks = x.index_select(1, way.flatten()).reshape(x.shape[0], -1, steps, x.shape[2], x.shape[3])
    states, _ = run_gru(gru, chunks, 2)
    owner = torch.div(frame, chunk, rounding_mode="floor")
    return states.flatten(1, 2).index_select(1, owner * steps + begin[owner] - frame)
