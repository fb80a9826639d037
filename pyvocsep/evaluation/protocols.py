"""The two benchmarks: which recordings, mixed how, measured how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from pyvocsep.training.datasets import Pair, Track, mir1k, musdb

from .engines import Engine
from .metrics import bss_eval, usdr

Audio = npt.NDArray[np.float32]

MIR1K_TRAINING_SINGERS = ("abjones", "amy")


@dataclass(frozen=True)
class Result:
    """The measures of one recording, by name, in dB, and its length, the weight of its share in a mean."""

    name: str
    seconds: float
    measures: dict[str, float]


def mir1k_test(folder: Path, every: int = 1) -> list[Pair]:
    """The 825 clips of the singers that nobody trains on, or every ``every``-th of them in the order of
    their names.
    """
    return [pair for pair in mir1k(folder) if pair.artist not in MIR1K_TRAINING_SINGERS][::every]


def musdb_songs(folder: Path, names: Sequence[str] | None = None) -> list[Pair]:
    """The songs of a folder, or those named; a name without a song is an error."""
    songs = {pair.name: pair for pair in musdb(folder)}
    missing = [name for name in names or () if name not in songs]
    if missing:
        raise ValueError(f"not in {folder}: {', '.join(missing)}")
    return [songs[name] for name in names] if names is not None else list(songs.values())


def evaluate_mir1k(pairs: Sequence[Pair], engine: Engine) -> Iterator[Result]:
    """Huang et al. (2014): voice and accompaniment at equal energy, BSS Eval v3, and its gain over the
    mixture.
    """
    for pair in pairs:
        vocals, rate = read(pair.vocals)
        accompaniment, _ = read(pair.accompaniment)
        stems = np.concatenate([vocals, equal_energy(accompaniment, vocals)]).astype(np.float64)
        mixture = stems.sum(0, keepdims=True)
        estimate = engine(mixture.astype(np.float32), rate)
        found = bss_eval(stems, np.concatenate([estimate, mixture - estimate]))
        unprocessed = bss_eval(stems, np.concatenate([mixture, mixture]))
        measures: dict[str, float] = {}
        for stem, result, before in zip(("vocals", "accompaniment"), found, unprocessed, strict=True):
            nsdr = result.sdr - before.sdr
            measures |= {f"{stem} NSDR": nsdr, f"{stem} SIR": result.sir, f"{stem} SAR": result.sar}
        yield Result(pair.name, mixture.shape[1] / rate, measures)


def evaluate_musdb(pairs: Sequence[Pair], engine: Engine) -> Iterator[Result]:
    """uSDR of both stems over whole recordings, as mixed; beside it that of the mixture, unprocessed."""
    for pair in pairs:
        vocals, rate = read(pair.vocals)
        accompaniment, _ = read(pair.accompaniment)
        mixture = vocals + accompaniment
        estimate = engine(mixture, rate)
        measures = {
            "vocals uSDR": usdr(vocals, estimate),
            "accompaniment uSDR": usdr(accompaniment, mixture - estimate),
            "unprocessed vocals uSDR": usdr(vocals, mixture),
            "unprocessed accompaniment uSDR": usdr(accompaniment, mixture),
        }
        yield Result(pair.name, mixture.shape[1] / rate, measures)


def read(track: Track) -> tuple[Audio, int]:
    """A stem, (channels, samples), and its rate in Hz."""
    samples, rate = soundfile.read(track.path, dtype="float32", always_2d=True)
    return (samples.T if track.channel is None else samples.T[track.channel, None]), rate


def equal_energy(stem: Audio, reference: Audio) -> Audio:
    """``stem`` scaled to the energy of ``reference``; silence stays silence."""
    own, wanted = (float(np.sum(np.square(audio, dtype=np.float64))) for audio in (stem, reference))
    return stem * np.float32(np.sqrt(wanted / own)) if own > 0 else stem


def mean(results: Sequence[Result], weighted: bool) -> dict[str, float]:
    """The mean of every measure over recordings, weighted by their lengths if asked."""
    if not results:
        raise ValueError("no recordings to average")
    weights = [result.seconds if weighted else 1.0 for result in results]
    return {
        key: float(np.average([result.measures[key] for result in results], weights=weights))
        for key in results[0].measures
    }
