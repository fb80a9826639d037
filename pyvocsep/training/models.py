"""The networks in PyTorch: spectra in, masks in [0, 1] out, causal in time.

Both take magnitudes already scaled by ``2 / frame`` and apply their own exponent, so that the exported
graph is the whole estimator. States start at zero; passing the returned state on continues a stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .grid import Grid
from .recurrence import rms_norm, run_gru

SPEECH_GRID = Grid(16_000, 1024, 512)
MUSIC_GRID = Grid(44_100, 2048, 1024)
EXPONENT = 0.3  # compresses magnitudes to roughly the loudness that Stevens' power law gives


class MaskEstimator(nn.Module):
    """What training, export and evaluation need to know of a network.

    ``forward(magnitudes, state)`` takes (batch, frames, bins, features) and gives masks
    (batch, frames, bins, channels) and the state after the last frame.
    """

    architecture: str
    grid: Grid
    extension_bins: int
    channels: int

    def features(self, spectra: Tensor, frame: int | None = None) -> Tensor:
        """The magnitudes that ``forward`` takes, of complex spectra (batch, frames, bins, channels).

        ``frame`` is the frame length in samples that made the spectra; None if they are scaled by
        2/frame already.
        """
        raise NotImplementedError

    def initial_state(self, batch: int = 1) -> Tensor:
        """Zeros in the layout of the state."""
        raise NotImplementedError

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The matrices between the input's and the output's, which Muon may update."""
        raise NotImplementedError

    def metadata(self) -> dict[str, str]:
        """What a model file says of the architecture, besides its tensors."""
        return {
            "architecture": self.architecture,
            "sample_rate": str(self.grid.sample_rate),
            "n_fft": str(self.grid.n_fft),
            "hop": str(self.grid.hop),
            "exponent": str(EXPONENT),
            "extension_bins": str(self.extension_bins),
        }


class GRU(MaskEstimator):
    """Stacked unidirectional GRUs over whole magnitude frames that infer both stems at once.

    The second system of the paper behind this project: two non-negative spectra, joined by a ratio mask
    (Huang et al., "Deep learning for monaural speech separation", 2014, eq. 4).
    """

    architecture = "gru"
    channels = 1
    extension_bins = 32

    def __init__(self, grid: Grid = SPEECH_GRID, hidden: int = 256, layers: int = 3, dropout: float = 0.0):
        super().__init__()
        self.grid = grid
        self.gru = nn.GRU(grid.bins, hidden, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.vocals = nn.Linear(hidden, grid.bins)
        self.accompaniment = nn.Linear(hidden, grid.bins)

    def features(self, spectra: Tensor, frame: int | None = None) -> Tensor:
        scale = 1.0 if frame is None else 2.0 / frame
        return magnitude(spectra).mean(-1, keepdim=True) * scale

    def initial_state(self, batch: int = 1) -> Tensor:
        return torch.zeros(self.gru.num_layers, batch, self.gru.hidden_size)

    def hidden_matrices(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.gru.parameters() if parameter.ndim == 2]

    def forward(self, magnitudes: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        hidden, state = run_gru(self.gru, magnitudes.squeeze(-1) ** EXPONENT, 1, state, self.dropout)
        hidden = self.dropout(hidden)
        vocals = self.vocals(hidden).relu()
        accompaniment = self.accompaniment(hidden).relu()
        # The constants keep the ratio defined, and at one half, where both spectra vanish.
        masks = (vocals + 0.01) / (vocals + accompaniment + 0.02)
        return masks.unsqueeze(-1), state


class BandGRU(MaskEstimator):
    """Bands x time: recurrent along time within each band, and along the bands of each frame.

    Each frame is cut into mel-spaced bands, each projected to ``dim`` values; every block adds a causal
    GRU along time (its weights shared by all bands) and a bidirectional GRU along the bands. The dual-
    path idea is that of Luo et al., "Dual-path RNN" (2020), and of Luo and Yu, "Music source separation
    with band-split RNN" (2023); they project every GRU's states before adding them, which costs a sixth
    of the time and is left out here. ``dim`` is a multiple of 32.
    """

    architecture = "band-gru"
    channels = 2

    def __init__(
        self,
        grid: Grid = MUSIC_GRID,
        dim: int = 64,
        blocks: int = 4,
        bands: int = 40,
        band_edges: Sequence[int] | None = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        if dim % 32:
            raise ValueError(f"dim is {dim}; it must be a multiple of 32")
        self.grid = grid
        self.band_edges = list(band_edges) if band_edges is not None else mel_edges(grid, bands)
        self.widths = [high - low for low, high in zip(self.band_edges, self.band_edges[1:], strict=False)]
        self.extension_bins = self.widths[-1]
        self.dim = dim
        self.encoder = BandEncoder(self.widths, 4, dim)
        self.blocks = nn.ModuleList(BandBlock(dim, dropout) for _ in range(blocks))
        self.norm = RMSNorm(dim)
        self.decoder = BandDecoder(self.widths, self.channels, dim)

    def features(self, spectra: Tensor, frame: int | None = None) -> Tensor:
        left, right = spectra.unbind(-1)
        scale = 1.0 if frame is None else 2.0 / frame
        stack = torch.stack([(left + right) / 2, (left - right) / 2, left, right], dim=-1)
        return magnitude(stack) * scale

    def initial_state(self, batch: int = 1) -> Tensor:
        return torch.zeros(len(self.blocks), batch * len(self.widths), self.dim)

    def hidden_matrices(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.blocks.parameters() if parameter.ndim == 2]

    def forward(self, magnitudes: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = self.encoder(magnitudes**EXPONENT)
        states = []
        for i, block in enumerate(self.blocks):
            x, last = block(x, None if state is None else state[i : i + 1])
            states.append(last)
        return torch.sigmoid(self.decoder(self.norm(x))), torch.cat(states)

    def metadata(self) -> dict[str, str]:
        return {**super().metadata(), "band_edges": ",".join(map(str, self.band_edges))}


class BandBlock(nn.Module):
    """One residual step along time and one along the bands; x is (batch, frames, bands, dim).

    The states are added as they are, times one learnt factor for each of their values.
    """

    def __init__(self, dim: int, dropout: float):
        super().__init__()
        self.time_norm = RMSNorm(dim)
        self.time_gru = nn.GRU(dim, dim, batch_first=True)
        self.time_scale = nn.Parameter(torch.ones(dim))
        self.band_norm = RMSNorm(dim)
        self.band_gru = nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True)
        self.band_scale = nn.Parameter(torch.ones(dim))
        self.dropout = SteadyDropout(dropout)

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        y, state = run_gru(self.time_gru, self.time_norm(x), 1, state)
        x = x + self.dropout(y) * self.time_scale
        y, _ = run_gru(self.band_gru, self.band_norm(x), 2)
        return x + self.dropout(y) * self.band_scale, state


class SteadyDropout(nn.Dropout):
    """Dropout of (batch, frames, ...) that holds for all frames of an example: it costs no random
    numbers to speak of, and a recurrent network cannot average it away.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        return x * nn.functional.dropout(torch.ones_like(x[:, :1]), self.p)


class BandEncoder(nn.Module):
    """Each band's features to one vector, every band with weights of its own."""

    def __init__(self, widths: Sequence[int], features: int, dim: int):
        super().__init__()
        self.bin_widths = list(widths)
        self.column_widths = [features * width for width in widths]
        self.weight = nn.Parameter(torch.empty(dim, sum(self.column_widths)))
        self.bias = nn.Parameter(torch.empty(len(widths), dim))
        for columns, bias in zip(torch.split(self.weight, self.column_widths, 1), self.bias, strict=True):
            _init_linear(columns, bias)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, frames, bins, features) to (batch, frames, bands, dim)."""
        weights = torch.split(self.weight, self.column_widths, 1)
        bands = torch.split(features, self.bin_widths, 2)
        x = [
            nn.functional.linear(band.flatten(2), weight) for band, weight in zip(bands, weights, strict=True)
        ]
        return torch.stack(x, 2) + self.bias


class BandDecoder(nn.Module):
    """The inverse of the encoder: one vector to the logits of its band's bins and channels."""

    def __init__(self, widths: Sequence[int], channels: int, dim: int):
        super().__init__()
        self.channels = channels
        self.row_widths = [channels * width for width in widths]
        self.weight = nn.Parameter(torch.empty(sum(self.row_widths), dim))
        self.bias = nn.Parameter(torch.empty(sum(self.row_widths)))
        _init_linear(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, bands, dim) to (batch, frames, bins, channels)."""
        weights = torch.split(self.weight, self.row_widths)
        logits = [
            nn.functional.linear(band, weight) for band, weight in zip(x.unbind(2), weights, strict=True)
        ]
        return torch.unflatten(torch.cat(logits, -1) + self.bias, -1, (-1, self.channels))


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + 1e-5) * weight; torch's own has no ONNX form before opset 23."""

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight)


def _init_linear(weight: Tensor, bias: Tensor) -> None:
    """nn.Linear's own: uniform within 1/sqrt(inputs)."""
    bound = 1 / math.sqrt(weight.shape[1])
    with torch.no_grad():
        weight.uniform_(-bound, bound)
        bias.uniform_(-bound, bound)


def mel_edges(grid: Grid, bands: int) -> list[int]:
    """``bands + 1`` bin indices from 0 to K, equal steps on the mel scale 2595 log10(1 + f / 700), no
    band empty.
    """

    def hertz(mel: float) -> float:
        return 700 * (10 ** (mel / 2595) - 1)

    top = 2595 * math.log10(1 + grid.sample_rate / 2 / 700)
    edges = [0]
    for i in range(1, bands):
        edges.append(max(edges[-1] + 1, round(hertz(top * i / bands) * grid.n_fft / grid.sample_rate)))
    if edges[-1] >= grid.bins:
        raise ValueError(f"{bands} bands do not fit in {grid.bins} bins; use fewer bands or a longer frame")
    return [*edges, grid.bins]


def magnitude(spectra: Tensor) -> Tensor:
    """|spectra|, several times faster than torch's, which guards against overflow."""
    real, imaginary = torch.view_as_real(spectra).unbind(-1)
    return (real.square() + imaginary.square()).sqrt()
