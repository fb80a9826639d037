"""The networks in PyTorch: spectra in, masks in [0, 1] out, causal in time unless they look ahead.

A network with two channels masks mid and side, (left + right) / 2 and (left - right) / 2: lead voices are
mixed to the middle, so that what lies at the sides need not be told from them by its spectrum alone.

Both take magnitudes already scaled by ``2 / frame`` and apply their own exponent, so that the exported
graph is the whole estimator. States start at zero; passing the returned state on continues a stream.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pyvocsep.grid import Grid

from .bands import BandDecoder, BandEncoder, Zones, check_zones, doubling_zones
from .level import FLOOR, energies, frame_decay, random_past, running_level
from .look_ahead import BackwardStep, LookAhead
from .recurrence import RMSNorm, run_gru

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
    """Of the masks: 1 for both sides of a stereo signal alike, 2 for its mid and its side."""
    look_ahead_frames: int = 0
    """Frames that must follow a frame for its mask to be final."""
    spatial_seconds: float | None = None
    """The memory of the spatial filter that makes vocals of the masks of mid and side (see :mod:`.spatial`);
    None if masks alone do.
    """

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

    Each frame is cut into bands, each projected to ``dim`` values; every block adds a causal GRU along
    time (its weights shared by all bands) and a bidirectional GRU along the bands. The dual-path idea is
    that of Luo et al., "Dual-path RNN" (2020), and of Luo and Yu, "Music source separation with band-split
    RNN" (2023); they project every GRU's states before adding them, which costs a sixth of the time and
    is left out here.

    ``zones`` are runs of (count, width) bands, from 0 Hz up: bands as wide as each other share the weights
    of their input and output layers, as a convolution along frequency does, so that what is learnt from
    one pitch serves the others; only biases are a band's own. ``dim`` is a multiple of 32.

    ``level_seconds`` is the memory of the running level that magnitudes are divided by (see
    :mod:`.level`); None leaves them as they are.

    ``look_ahead`` (see :mod:`.look_ahead`) gives some blocks a GRU backwards along time. ``forward`` then
    takes a whole recording, with ``look_ahead_frames`` frames of silence after it: chunks count from its
    first frame, and a state does not carry what the next call would have to know of them.

    ``spatial_seconds`` changes neither network nor training: only what separates by its masks.
    """

    architecture = "band-gru"
    channels = 2

    def __init__(
        self,
        grid: Grid = MUSIC_GRID,
        dim: int = 64,
        blocks: int = 4,
        zones: Zones | None = None,
        dropout: float = 0.0,
        level_seconds: float | None = None,
        look_ahead: Mapping[str, Any] | None = None,
        spatial_seconds: float | None = None,
    ):
        super().__init__()
        if dim % 32:
            raise ValueError(f"dim is {dim}; it must be a multiple of 32")
        for name, seconds in (("level_seconds", level_seconds), ("spatial_seconds", spatial_seconds)):
            if seconds is not None and not 0.1 <= seconds <= 60:
                raise ValueError(f"{name} is {seconds}; it must lie between 0.1 and 60")
        self.level_seconds, self.spatial_seconds = level_seconds, spatial_seconds
        self.grid = grid
        self.zones = check_zones(grid, doubling_zones(grid) if zones is None else zones)
        self.bands = sum(count for count, _ in self.zones)
        covered = sum(count * width for count, width in self.zones)
        self.extension_bins = self.zones[-1][1] - (covered - grid.bins)  # the last band's
        self.dim = dim
        self.encoder = BandEncoder(self.zones, 4, dim)
        self.blocks = nn.ModuleList(BandBlock(dim, dropout) for _ in range(blocks))
        self.look_ahead = None if look_ahead is None else LookAhead.of_table(look_ahead, blocks)
        if self.look_ahead is not None:
            self.look_ahead_frames = self.look_ahead.frames
            for i in self.look_ahead.blocks:
                self.blocks[i].ahead = BackwardStep(dim, self.look_ahead)
        self.norm = RMSNorm(dim)
        self.decoder = BandDecoder(self.zones, self.channels, grid.bins, dim)

    def features(self, spectra: Tensor, frame: int | None = None) -> Tensor:
        left, right = spectra.unbind(-1)
        scale = 1.0 if frame is None else 2.0 / frame
        stack = torch.stack([(left + right) / 2, (left - right) / 2, left, right], dim=-1)
        return self.level(magnitude(stack) * scale)[0]

    def level(self, magnitudes: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Magnitudes over the root of their running level, if the network has one, and its state.

        ``magnitudes`` are (batch, frames, bins, features), scaled by 2/frame; ``past`` is the state
        (batch, 2) after the frames before them, None at the beginning of a stream. In training the
        beginning is given a random past.
        """
        if self.level_seconds is None:
            return magnitudes, None
        energy = energies(magnitudes)
        decay = frame_decay(self.level_seconds, self.grid.hop, self.grid.sample_rate)
        if past is None and self.training:
            past = random_past(energy, decay)
        level, past = running_level(energy, decay, past)
        return magnitudes * (level + FLOOR).rsqrt()[..., None, None], past

    def initial_state(self, batch: int = 1) -> Tensor:
        return torch.zeros(len(self.blocks), batch * self.bands, self.dim)

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
        counts, widths = (",".join(map(str, numbers)) for numbers in zip(*self.zones, strict=True))
        memories = {
            name: repr(seconds)
            for name in ("level_seconds", "spatial_seconds")
            if (seconds := getattr(self, name)) is not None
        }
        ahead = {}
        if self.look_ahead is not None:  # which blocks it is, their tensors say
            ahead["look_ahead_chunk"] = str(self.look_ahead.chunk)
            ahead["look_ahead_context"] = str(self.look_ahead.context)
        return {**super().metadata(), "band_counts": counts, "band_widths": widths, **memories, **ahead}


class BandBlock(nn.Module):
    """One residual step along time and one along the bands; x is (batch, frames, bands, dim). Between the
    two lies another one backwards along time if the block looks ahead.

    The states are added as they are, times one learnt factor for each of their values.
    """

    def __init__(self, dim: int, dropout: float):
        super().__init__()
        self.time_norm = RMSNorm(dim)
        self.time_gru = nn.GRU(dim, dim, batch_first=True)
        self.time_scale = nn.Parameter(torch.ones(dim))
        self.ahead: BackwardStep | None = None
        self.band_norm = RMSNorm(dim)
        self.band_gru = nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True)
        self.band_scale = nn.Parameter(torch.ones(dim))
        self.dropout = SteadyDropout(dropout)

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        y, state = run_gru(self.time_gru, self.time_norm(x), 1, state)
        x = torch.addcmul(x, y, self.dropout(self.time_scale, x))
        if self.ahead is not None:
            x = torch.addcmul(x, self.ahead(x), self.dropout(self.ahead.scale, x))
        y, _ = run_gru(self.band_gru, self.band_norm(x), 2)
        return torch.addcmul(x, y, self.dropout(self.band_scale, x)), state


class SteadyDropout(nn.Module):
    """Dropout that holds for all frames of an example: it costs no random numbers to speak of, and a
    recurrent network cannot average it away.
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, scale: Tensor, x: Tensor) -> Tensor:
        """The factors ``scale`` (dim,) for x (batch, frames, bands, dim), some of them zero in training."""
        if not self.training or self.p == 0:
            return scale
        return scale * nn.functional.dropout(x.new_ones(x[:, :1].shape), self.p)


def mid_side(spectra: Tensor) -> Tensor:
    """(..., left and right) to (..., mid and side) or back: a rotation, which keeps energies and is its
    own inverse.
    """
    left, right = spectra.unbind(-1)
    return torch.stack([left + right, left - right], -1) * math.sqrt(0.5)


def magnitude(spectra: Tensor) -> Tensor:
    """|spectra|, several times faster than torch's, which guards against overflow."""
    real, imaginary = torch.view_as_real(spectra).unbind(-1)
    return (real.square() + imaginary.square()).sqrt()
