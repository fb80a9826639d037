"""The benchmarks: which recordings, mixed how, measured how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from pyvocsep.arrays import STEMS
from pyvocsep.datasets import Pair, Track, instrumentals, mir1k, musdb
from pyvocsep.metrics import bss_eval, bss_eval_v4, usdr

from .systems import Mixture, System, unprocessed

Audio = npt.NDArray[np.float32]

MIR1K_TRAINING_SINGERS = ("abjones", "amy")
GAINS_DB = (12, 0, -20, -40, -60)
"""Of the input, in the benchmark "level"."""
PIECE_SECONDS = 60.0
"""Of each piece of music without a voice, its middle."""
SILENT_DB = -120.0
"""What vocals of no energy at all are counted as, over the input's."""


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


def instrumental_pieces(folder: Path) -> list[Pair]:
    """Every audio file below a folder, by its path in it, as an accompaniment whose vocals are silent."""
    return [
        Pair(str(track.path.relative_to(folder)), "", track, track)
        for track in instrumentals(folder, PIECE_SECONDS)
    ]


def score_phantom(pair: Pair, systems: Mapping[str, System]) -> dict[str, Result]:
    """How loud the vocals are that a system finds in the accompaniment alone: energy over the input's, dB."""
    accompaniment, rate = read(pair.accompaniment)
    mixture = Mixture(np.zeros_like(accompaniment), accompaniment, rate)
    energy = float(np.sum(np.square(accompaniment, dtype=np.float64)))
    if energy == 0:
        raise ValueError(f"{pair.accompaniment.path} is silent; take it out of the folder")
    results = {}
    for name, system in systems.items():
        found = float(np.sum(np.square(system(mixture)[0], dtype=np.float64)))
        level = max(10 * float(np.log10(max(found / energy, 1e-99))), SILENT_DB)
        results[name] = Result(pair.name, accompaniment.shape[1] / rate, {"phantom vocals": level})
    return results


def score_level(pair: Pair, systems: Mapping[str, System]) -> dict[str, Result]:
    """uSDR of the vocals of a mixture that is louder or softer by each of ``GAINS_DB``."""
    vocals, rate = read(pair.vocals)
    accompaniment, _ = read(pair.accompaniment)
    results = {}
    for name, system in systems.items():
        measures = {}
        for gain_db in GAINS_DB:
            gain = np.float32(10 ** (gain_db / 20))
            mixture = Mixture(gain * vocals, gain * accompaniment, rate)
            measures[f"vocals uSDR at {gain_db:+d} dB"] = usdr(mixture.vocals, system(mixture)[0])
        results[name] = Result(pair.name, vocals.shape[1] / rate, measures)
    return results


Values = npt.NDArray[np.float64]
Summary = Callable[[str, Values, Values], dict[str, float]]


@dataclass(frozen=True)
class Benchmark:
    """How the recordings of a benchmark are scored, and how their measures are summed up.

    ``summary`` takes a measure's name, its values and the recordings' lengths, and gives the columns of the
    table.
    """

    score: Callable[[Pair, Mapping[str, System]], dict[str, Result]]
    summary: Summary
    plotted: tuple[str, ...]


def _weighted(measure: str, values: Values, seconds: Values) -> dict[str, float]:
    """A mean weighted by length; such measures carry a G (GNSDR) by custom."""
    stem, _, ratio = measure.rpartition(" ")
    return {f"{stem} G{ratio}": float(np.average(values, weights=seconds))}


def _plain(measure: str, values: Values, seconds: Values) -> dict[str, float]:
    """The mean of uSDR; of the SDR of BSS Eval v4 the median."""
    if "uSDR" in measure:
        return {f"mean {measure}": float(values.mean())}
    return {f"median {measure}": float(np.nanmedian(values))}


def _loudest(measure: str, values: Values, seconds: Values) -> dict[str, float]:
    return {
        f"mean {measure}": float(values.mean()),
        f"median {measure}": float(np.median(values)),
        f"worst {measure}": float(values.max()),
    }


BENCHMARKS = {
    "mir1k": Benchmark(
        score_mir1k,
        _weighted,
        tuple(f"{stem} {ratio}" for stem in STEMS for ratio in ("NSDR", "SIR", "SAR")),
    ),
    "musdb": Benchmark(score_musdb, _plain, tuple(f"{stem} uSDR" for stem in STEMS)),
    "level": Benchmark(score_level, _plain, tuple(f"vocals uSDR at {gain:+d} dB" for gain in (0, -60))),
    "phantom": Benchmark(score_phantom, _loudest, ("phantom vocals",)),
}


def summarise(results: Sequence[Result], benchmark: Benchmark) -> dict[str, float]:
    """One number or more for each measure over all recordings, under the names they have in a table."""
    if not results:
        raise ValueError("no recordings to sum up")
    seconds = np.array([result.seconds for result in results])
    summary: dict[str, float] = {}
    for measure in results[0].measures:
        values = np.array([result.measures[measure] for result in results])
        summary |= benchmark.summary(measure, values, seconds)
    return summary


def read(track: Track) -> tuple[Audio, int]:
    """A stem, (channels, samples), and its rate in Hz."""
    samples, rate = soundfile.read(track.path, dtype="float32", always_2d=True)
    if len(samples) > track.seconds * rate:
        length = int(track.seconds * rate)
        start = (len(samples) - length) // 2
        samples = samples[start : start + length]
    return (samples.T if track.channel is None else samples.T[track.channel, None]), rate


def equal_energy(stem: Audio, reference: Audio) -> Audio:
    """``stem`` scaled to the energy of ``reference``; silence stays silence."""
    own, wanted = (float(np.sum(np.square(audio, dtype=np.float64))) for audio in (stem, reference))
    return stem * np.float32(np.sqrt(wanted / own)) if own > 0 else stem
