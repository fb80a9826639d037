"""The trim that aligns a delayed output with its input."""

from __future__ import annotations

from pyvocsep.arrays import Samples


class LatencyTrim:
    """Drops the first samples of a stream's output: those that precede the first sample of its input."""

    def __init__(self, latency_samples: int = 0) -> None:
        self.restart(latency_samples)

    def restart(self, latency_samples: int) -> None:
        """Begin a stream whose output is so late."""
        self._left = latency_samples

    def __call__(self, *outputs: Samples) -> tuple[Samples, ...]:
        """Return what is aligned in the next blocks of one or more outputs, all (channels, samples)."""
        drop = min(self._left, outputs[0].shape[1])
        self._left -= drop
        return tuple(output[:, drop:] for output in outputs)
