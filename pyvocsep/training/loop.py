"""The training loop: it resumes, watches held-out songs, and keeps the weights that served them best.

A recipe that watches none trains on all it has, and keeps the last weights.
"""

from __future__ import annotations

import copy
import csv
import dataclasses
import math
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pyvocsep.datasets import Decoder, Pair
from pyvocsep.grid import Audio, analyse, rotate, synthesise
from pyvocsep.metrics import usdr

from .architectures import build
from .curves import plot_curves
from .growth import warm_start
from .level import frame_decay
from .loss import separation_loss
from .mixtures import Mixtures
from .models import MaskEstimator, mid_side
from .recipe import Recipe, Schedule
from .spatial import filter_vocals

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.csv"
CURVES = "curves.png"
# Of State, kept in checkpoints as they are.
_PLAIN = ("seed", "step", "best_score", "best_step", "best", "history", "decay_from")


@dataclass
class State:
    """All that a training is; ``averaged`` is what is scored, ``best`` the averaged weights of the best
    score, ``seed`` what its examples and dropout are drawn by.
    """

    model: MaskEstimator
    averaged: MaskEstimator
    optimisers: list[torch.optim.Optimizer]
    seed: int = 0
    step: int = 0
    best_score: float = -math.inf
    best_step: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    decay_from: int | None = None
    history: list[dict[str, float]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write a checkpoint whole or not at all."""
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "model": self.model.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                **{key: getattr(self, key) for key in _PLAIN},
            },
            partial,
        )
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint."""
        saved = torch.load(path, map_location="cpu", weights_only=True)
        for key in ("model", "averaged"):
            getattr(self, key).load_state_dict(saved.pop(key))
        for optimiser, state in zip(self.optimisers, saved.pop("optimisers"), strict=True):
            optimiser.load_state_dict(state)
        for key, value in saved.items():
            setattr(self, key, value)


def start(recipe: Recipe, device: str = "cpu") -> State:
    """A fresh training, seeded by its recipe."""
    torch.manual_seed(recipe.training.seed)
    model = build(**recipe.model).to(device)
    averaged = copy.deepcopy(model).eval()
    return State(model, averaged, make_optimisers(model, recipe.training), recipe.training.seed)


def seed_after(initial: MaskEstimator, seed: int) -> int:
    """A seed for going on from weights: they may know the examples of ``seed`` by heart."""
    for values in initial.state_dict().values():
        seed = zlib.crc32(values.detach().cpu().contiguous().numpy().tobytes(), seed)
    return seed


def make_optimisers(model: MaskEstimator, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """AdamW for all parameters, or for those that Muon is not made for.

    Muon (Jordan et al., 2024) orthogonalises the update of every hidden matrix; its step is scaled to that
    of AdamW (Liu et al., "Muon is scalable for LLM training", 2025), so that both share one learning rate.
    Inputs, outputs and vectors stay with AdamW, as its authors advise.
    """
    optimisers: list[torch.optim.Optimizer] = []
    hidden: list[nn.Parameter] = []
    if schedule.optimiser == "muon":
        hidden = model.hidden_matrices()
        optimisers.append(
            torch.optim.Muon(
                hidden,
                lr=schedule.learning_rate,
                weight_decay=schedule.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    elif schedule.optimiser != "adamw":
        raise ValueError(f"unknown optimiser {schedule.optimiser!r}; known are adamw and muon")
    taken = {id(parameter) for parameter in hidden}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    optimisers.append(
        torch.optim.AdamW(
            [
                {"params": [p for p in rest if p.ndim > 1], "weight_decay": schedule.weight_decay},
                {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=schedule.learning_rate,
        )
    )
    return optimisers


def learning_rate(schedule: Schedule, step: int) -> float:
    """Of the step numbered from 0."""
    rise = min(1.0, (step + 1) / max(schedule.warmup, 1))
    if schedule.schedule == "constant":
        fall = min(1.0, (schedule.steps - step) / max(schedule.decay_steps, 1))
    elif schedule.schedule == "cosine":
        fall = 0.5 * (1 + math.cos(math.pi * min(step / schedule.steps, 1.0)))
    else:
        raise ValueError(f"unknown schedule {schedule.schedule!r}; known are cosine and constant")
    return schedule.learning_rate * rise * fall


def train_step(state: State, batch: dict[str, Tensor], schedule: Schedule) -> float:
    """One update of the weights and of their average; returns the loss."""
    device = next(state.model.parameters()).device
    vocals, accompaniment, visible, limit = (
        batch[key].to(device) for key in ("vocals", "accompaniment", "visible", "limit")
    )
    # Dropout's random numbers depend on the step alone, so that a resumed run repeats them.
    torch.manual_seed(state.seed * 1_000_003 + state.step)
    for optimiser in state.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(schedule, state.step)
        optimiser.zero_grad(set_to_none=True)
    state.model.train()
    masks, _ = state.model(state.model.features(vocals + accompaniment) * visible.unsqueeze(-1))
    if state.model.channels == 2:
        vocals, accompaniment = mid_side(vocals), mid_side(accompaniment)
    loss = separation_loss(masks, vocals, accompaniment, limit, schedule.detail)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), schedule.clip)
    if torch.isfinite(norm):
        for optimiser in state.optimisers:
            optimiser.step()
    state.step += 1
    # A short memory at first: the average should not remember the random start.
    decay = min(schedule.averaging, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for average, parameter in zip(state.averaged.parameters(), state.model.parameters(), strict=True):
            average.lerp_(parameter, 1 - decay)
    return float(loss.detach())


@torch.no_grad()
def separate(model: MaskEstimator, mixture: Audio, sample_rate: int) -> Audio:
    """The vocals of a mixture (channels, samples), by PyTorch, on the grid that the core uses."""
    grid = model.grid
    frame = grid.frame_length(sample_rate)
    hop = frame // grid.overlap
    channels, samples = mixture.shape
    past = frame - hop  # the first frame ends with the first hop of the signal
    count = -(-(samples + past) // hop) + model.look_ahead_frames
    padded = np.pad(mixture, ((0, 0), (past, (count - 1) * hop + frame - past - samples)))
    spectra = analyse(padded, frame, hop)
    known = min(grid.bins, spectra.shape[-1])
    seen = np.zeros((channels, count, grid.bins), np.complex64)
    seen[..., :known] = spectra[..., :known] * np.float32(2 / frame)
    device = next(model.parameters()).device
    stack = torch.from_numpy(seen).permute(1, 2, 0)
    if model.channels > channels:
        stack = stack.expand(-1, -1, model.channels)
    masks, _ = model(model.features(stack.unsqueeze(0).to(device)))
    mask = masks[0].permute(2, 0, 1)[:channels].cpu().numpy()  # of a mono signal, the mid's
    # Above the network's range, the mean of its top bins.
    above = mask[..., -model.extension_bins :].mean(-1, keepdims=True)
    unknown = spectra.shape[-1] - known
    full = np.concatenate([mask[..., :known], np.broadcast_to(above, (*mask.shape[:2], unknown))], -1)
    if len(full) == 1:  # one mask for all channels, or one each for mid and side
        found = spectra * full
    elif model.spatial_seconds is None:
        found = rotate(rotate(spectra) * full)
    else:
        decay = frame_decay(model.spatial_seconds, grid.hop, grid.sample_rate)
        found = rotate(filter_vocals(rotate(spectra), full, 2 / frame, decay))
    vocals = synthesise(found, frame, hop)
    return vocals[:, past : past + samples]


def score(
    model: MaskEstimator, pairs: Sequence[Pair], decoder: Decoder, equal_energy: bool
) -> tuple[float, float]:
    """Mean uSDR in dB of vocals and accompaniment over whole recordings."""
    results = []
    for pair in pairs:
        samples, rate = decoder.open(pair.vocals)
        vocals = decoder.excerpt(pair.vocals, 0, len(samples))
        accompaniment = decoder.excerpt(pair.accompaniment, 0, len(samples))
        if equal_energy:
            accompaniment = accompaniment * np.sqrt(
                np.square(vocals).sum() / max(np.square(accompaniment).sum(), 1e-9)
            )
        estimate = separate(model, vocals + accompaniment, rate)
        results.append((usdr(vocals, estimate), usdr(accompaniment, vocals + accompaniment - estimate)))
    means = np.mean(results, axis=0)
    return float(means[0]), float(means[1])


def train(
    recipe: Recipe,
    data: Path,
    run: Path,
    device: str = "cpu",
    minutes: float = math.inf,
    until: int | None = None,
    initial: MaskEstimator | None = None,
    decay: int | None = None,
) -> State:
    """Train by ``recipe`` on the folders below ``data``; everything written goes below ``run``.

    Continues from the checkpoint in ``run`` if there is one, else from the weights of ``initial`` if
    given, and stops, leaving a checkpoint, after ``minutes`` or at step ``until``. ``decay`` ends the
    training that many steps after the checkpoint, the rate falling to zero: a copy of a run that is to go
    on at a constant rate is finished and scored that way.
    """
    run.mkdir(parents=True, exist_ok=True)
    decoder = Decoder(data / "decoded")
    schedule = recipe.training
    state = start(recipe, device)
    checkpoint = run / CHECKPOINT
    if checkpoint.exists():
        state.load(checkpoint)
        print(f"continuing from step {state.step}", flush=True)
    elif initial is not None:
        for line in warm_start(state.model, initial):
            print(line, flush=True)
        state.averaged.load_state_dict(state.model.state_dict())
        state.seed = seed_after(initial, state.seed)
    if decay is not None:
        if not checkpoint.exists():
            raise ValueError(f"nothing to decay: no {checkpoint}; copy a run's folder there first")
        state.decay_from = state.step if state.decay_from is None else state.decay_from
        schedule = dataclasses.replace(
            schedule, schedule="constant", steps=state.decay_from + decay, decay_steps=decay
        )
    mixtures = Mixtures(
        recipe.data.training_pairs(data),
        recipe.data.instrumental_tracks(data),
        state.model.grid,
        state.model.channels,
        schedule.frames,
        decoder,
        state.seed,
        recipe.mixing,
        recipe.data.solo_voices(data),
    )
    watched = recipe.data.watched_pairs(data)
    seconds_per_step = schedule.batch * schedule.frames * state.model.grid.hop / state.model.grid.sample_rate
    began, losses, steps_before = time.monotonic(), [], state.step
    saved = scored = began
    for batch in _batches(mixtures, schedule, state.step):
        losses.append(train_step(state, batch, schedule))
        now = time.monotonic()
        out_of_time = now - began > 60 * minutes or (until is not None and state.step >= until)
        if state.step % schedule.score_every == 0 or state.step == schedule.steps:
            vocals = accompaniment = math.nan
            if watched:
                vocals, accompaniment = score(state.averaged, watched, decoder, recipe.data.equal_energy)
            speed = (state.step - steps_before) * seconds_per_step / (now - scored)
            steps_before, scored = state.step, time.monotonic()
            _record(state, run, vocals, accompaniment, float(np.mean(losses)), speed)
            losses.clear()
        if out_of_time or now - saved > 120 or state.step == schedule.steps:
            state.save(checkpoint)
            saved = time.monotonic()
        if out_of_time:
            break
    return state


def _batches(mixtures: Mixtures, schedule: Schedule, step: int) -> Iterator[dict[str, Tensor]]:
    """The batches from ``step`` on, made by one process beside this one."""
    indices = range(step * schedule.batch, schedule.steps * schedule.batch)
    loader: DataLoader[dict[str, Tensor]] = DataLoader(
        mixtures, batch_size=schedule.batch, sampler=indices, num_workers=1, prefetch_factor=4
    )
    return iter(loader)


def _record(state: State, run: Path, vocals: float, accompaniment: float, loss: float, speed: float) -> None:
    """Keep the weights if they are the best so far, or if nothing was watched, and say how things stand."""
    blind = math.isnan(vocals)
    if blind or vocals > state.best_score:
        state.best_score, state.best_step = (-math.inf if blind else vocals), state.step
        state.best = {key: value.detach().cpu().clone() for key, value in state.averaged.state_dict().items()}
    row: dict[str, Any] = {
        "step": state.step,
        "loss": round(loss, 4),
        "vocals_db": round(vocals, 3),
        "accompaniment_db": round(accompaniment, 3),
        "audio_seconds_per_second": round(speed, 1),
    }
    state.history.append(row)
    with (run / HISTORY).open("w", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        writer.writeheader()
        writer.writerows(state.history)
    plot_curves(state.history, run / CURVES)
    if blind:
        held_out = "nothing watched"
    else:
        held_out = f"held out: vocals {vocals:.2f} dB, accompaniment {accompaniment:.2f} dB"
    mark = "  best" if state.best_step == state.step and not blind else ""
    print(f"step {state.step}  loss {loss:.3f}  {held_out}  {speed:.1f} x real time{mark}", flush=True)
