"""The two benchmarks: which recordings, mixed how, measured how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from pyvocsep.datasets import Pair, Track, mir1k, musdb
from pyvocsep.metrics import bss_eval, bss_eval_v4, usdr

from .systems import Mixture, System, unprocessed

Audio = npt.NDArray[np.float32]

MIR1K_TRAINING_SINGERS = ("abjones", "amy")
STEMS = ("vocals", "accompaniment")


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


def score_mir1k(pair: Pair, systems: Mapping[str, System]) -> dict[str, Result]:
    """Huang et al. (2014): voice and accompaniment at equal energy, BSS Eval v3, and its gain over the
    mixture (NSDR). One result for each system.
    """
    vocals, rate = read(pair.vocals)
    accompaniment, _ = read(pair.accompaniment)
    mixture = Mixture(vocals, equal_energy(accompaniment, vocals), rate)
    references = mixture.stems[:, 0].astype(np.float64)
    before = bss_eval(references, unprocessed(mixture)[:, 0])
    results = {}
    for name, system in systems.items():
        found = bss_eval(references, system(mixture)[:, 0].astype(np.float64))
        measures: dict[str, float] = {}
        for stem, result, start in zip(STEMS, found, before, strict=True):
            measures |= {f"{stem} NSDR": result.sdr - start.sdr}
            measures |= {f"{stem} SIR": result.sir, f"{stem} SAR": result.sar}
        results[name] = Result(pair.name, vocals.shape[1] / rate, measures)
    return results


def score_musdb(pair: Pair, systems: Mapping[str, System]) -> dict[str, Result]:
    """uSDR of both stems over whole recordings, as mixed, and the SDR of BSS Eval v4.

    One result for each system.
    """
    vocals, rate = read(pair.vocals)
    accompaniment, _ = read(pair.accompaniment)
    mixture = Mixture(vocals, accompaniment, rate)
    results = {}
    for name, system in systems.items():
        estimates = system(mixture)
        measures = {
            f"{stem} uSDR": usdr(reference, estimate)
            for stem, reference, estimate in zip(STEMS, mixture.stems, estimates, strict=True)
        }
        for stem, sdr in zip(STEMS, bss_eval_v4(mixture.stems, estimates, rate), strict=True):
            measures[f"{stem} SDR"] = sdr
        results[name] = Result(pair.name, vocals.shape[1] / rate, measures)
    return results


@dataclass(frozen=True)
class Benchmark:
    """How the recordings of a benchmark are scored, and how their measures are summed up.

    ``summary`` is "weighted", a mean weighted by length, whose measures carry a G (GNSDR) by custom; or
    "plain": a mean of uSDR, and of the SDR of BSS Eval v4 the median, over recordings.
    """

    score: Callable[[Pair, Mapping[str, System]], dict[str, Result]]
    summary: str
    plotted: tuple[str, ...]


BENCHMARKS = {
    "mir1k": Benchmark(
        score_mir1k,
        "weighted",
        tuple(f"{stem} {ratio}" for stem in STEMS for ratio in ("NSDR", "SIR", "SAR")),
    ),
    "musdb": Benchmark(score_musdb, "plain", tuple(f"{stem} uSDR" for stem in STEMS)),
}


def summarise(results: Sequence[Result], benchmark: Benchmark) -> dict[str, float]:
    """One number for each measure over all recordings, under the name it has in a table."""
    if not results:
        raise ValueError("no recordings to sum up")
    summary = {}
    for measure in results[0].measures:
        values = np.array([result.measures[measure] for result in results])
        stem, _, ratio = measure.rpartition(" ")
        if benchmark.summary == "weighted":
            weights = [result.seconds for result in results]
            summary[f"{stem} G{ratio}"] = float(np.average(values, weights=weights))
        elif ratio == "uSDR":
            summary[f"mean {measure}"] = float(values.mean())
        else:
            summary[f"median {measure}"] = float(np.nanmedian(values))
    return summary


def read(track: Track) -> tuple[Audio, int]:
    """A stem, (channels, samples), and its rate in Hz."""
    samples, rate = soundfile.read(track.path, dtype="float32", always_2d=True)
    return (samples.T if track.channel is None else samples.T[track.channel, None]), rate


def equal_energy(stem: Audio, reference: Audio) -> Audio:
    """``stem`` scaled to the energy of ``reference``; silence stays silence."""
    own, wanted = (float(np.sum(np.square(audio, dtype=np.float64))) for audio in (stem, reference))
    return stem * np.float32(np.sqrt(wanted / own)) if own > 0 else stem
