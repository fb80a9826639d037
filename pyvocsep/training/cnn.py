"""The first system of the paper behind this project: a convolutional encoder-decoder over patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyvocsep.grid import Grid

from .models import EXPONENT, SPEECH_GRID, MaskEstimator, magnitude

PATCH = 128
"""Frames that the network sees at once, and in evaluation the context of those it answers for."""
KEPT = 64
"""Frames in the middle of a patch whose masks are kept; the others only lend them context."""


def normalisation(width: int) -> nn.GroupNorm:
    """Of each patch by its own level: recordings differ in theirs more than a batch's averages can follow."""
    return nn.GroupNorm(max(1, width // 8), width)


class CNN(MaskEstimator):
    """Segments patches of the magnitude spectrogram into vocals and the rest: a soft mask for each bin.

    Strided convolutions halve bins and frames at every level, transposed ones double them again, and what
    each level saw is handed across: the U-Net of Ronneberger et al. (2015), sized for voices after Jansson
    et al., "Singing voice separation with deep U-Net convolutional networks" (2017). The bin at half the
    sample rate shares the mask of the bin below it, so that the number of bins is a power of two.
    """

    architecture = "cnn"
    channels = 1
    extension_bins = 32

    def __init__(
        self, grid: Grid = SPEECH_GRID, widths: tuple[int, ...] = (16, 32, 64, 96, 128), dropout: float = 0.0
    ):
        super().__init__()
        self.grid = grid
        self.widths = tuple(widths)
        self.unit = 2 ** len(self.widths)
        if (grid.bins - 1) % self.unit:
            raise ValueError(f"{len(self.widths)} levels cannot halve {grid.bins - 1} bins; use fewer widths")
        # Magnitudes fall along the frequency: every bin gets a scale and an offset of its own.
        self.scale = nn.Parameter(torch.ones(grid.bins - 1))
        self.offset = nn.Parameter(torch.zeros(grid.bins - 1))
        inputs = (1, *self.widths[:-1])
        self.encoder = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, width, 5, stride=2, padding=2, bias=False),
                normalisation(width),
                nn.LeakyReLU(0.2),
            )
            for before, width in zip(inputs, self.widths, strict=True)
        )
        self.decoder = nn.ModuleList()
        for level in reversed(range(1, len(self.widths))):
            deepest = level == len(self.widths) - 1
            self.decoder.append(
                nn.Sequential(
                    nn.ConvTranspose2d(
                        self.widths[level] * (1 if deepest else 2),
                        self.widths[level - 1],
                        5,
                        stride=2,
                        padding=2,
                        output_padding=1,
                        bias=False,
                    ),
                    normalisation(self.widths[level - 1]),
                    nn.ReLU(),
                    nn.Dropout2d(dropout if level > len(self.widths) // 2 else 0.0),
                )
            )
        self.head = nn.ConvTranspose2d(2 * self.widths[0], 1, 5, stride=2, padding=2, output_padding=1)

    def features(self, spectra: Tensor, frame: int | None = None) -> Tensor:
        scale = 1.0 if frame is None else 2.0 / frame
        return magnitude(spectra).mean(-1, keepdim=True) * scale

    def initial_state(self, batch: int = 1) -> Tensor:
        """Nothing: a patch knows nothing of the one before it."""
        return torch.zeros(0, batch, 0)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """None: the kernels of convolutions are no matrices."""
        return []

    def metadata(self) -> dict[str, str]:
        return {
            **super().metadata(),
            "widths": ",".join(map(str, self.widths)),
            "patch_frames": str(PATCH),
            "kept_frames": str(KEPT),
        }

    def forward(self, magnitudes: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        state = self.initial_state(len(magnitudes)) if state is None else state
        if self.training:
            return self.masks(magnitudes), state
        return self._patchwise(magnitudes), state

    def masks(self, magnitudes: Tensor) -> Tensor:
        """Masks (patches, frames, bins, 1) of magnitudes of that shape, all frames seen at once."""
        frames = magnitudes.shape[1]
        x = (magnitudes[:, :, :-1, 0] ** EXPONENT) * self.scale + self.offset
        x = nn.functional.pad(x, (0, 0, 0, -frames % self.unit)).unsqueeze(1)
        seen = []
        for layer in self.encoder:
            x = layer(x)
            seen.append(x)
        for layer, before in zip(self.decoder, seen[-2::-1], strict=True):
            x = torch.cat([layer(x), before], 1)
        masks = torch.sigmoid(self.head(x))[:, 0, :frames]
        return torch.cat([masks, masks[..., -1:]], -1).unsqueeze(-1)

    def _patchwise(self, magnitudes: Tensor) -> Tensor:
        """Whole recordings on a fixed grid of patches, silence before and after, as onnxruntime is fed."""
        batch, frames = magnitudes.shape[:2]
        margin = (PATCH - KEPT) // 2
        count = -(-frames // KEPT)
        padded = nn.functional.pad(magnitudes, (0, 0, 0, 0, margin, count * KEPT - frames + margin))
        patches = padded.unfold(1, PATCH, KEPT).permute(0, 1, 4, 2, 3)  # (batch, count, frames, bins, 1)
        masks = self.masks(patches.flatten(0, 1))[:, margin : margin + KEPT]
        return masks.reshape(batch, count * KEPT, *masks.shape[2:])[:, :frames]
