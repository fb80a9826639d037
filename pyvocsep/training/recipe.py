"""Recipes: one readable TOML file says how one set of weights is made."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

from pyvocsep.datasets import Pair, Singer, Track, instrumentals, mir1k, musdb, voices

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Data:
    """Folders below ``--data``. Songs (or clips, or all clips of a song ``singer_number``) held out are
    never trained on; those watched, a part of them, choose the weights, so that the others can judge
    the choice. With none watched, the last weights are taken.
    """

    musdb: str | None = None
    mir1k: str | None = None
    singers: tuple[str, ...] | None = None  # of MIR-1K; None is all
    instrumentals: str | None = None
    instrumental_seconds: float = math.inf  # of each piece of music without a voice, its middle
    instrumentals_held_out: tuple[str, ...] = ()  # subfolders that are never trained on
    voices: str | tuple[str, ...] = ()  # one folder of solo singing or more
    voices_licences: str = "any"  # or "open"
    held_out: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    equal_energy: bool = False  # score mixtures at 0 dB, as the MIR-1K protocol does, not as recorded

    def pairs(self, root: Path) -> list[Pair]:
        """Every voice with its accompaniment that the recipe names, held out or not."""
        pairs: list[Pair] = []
        if self.musdb:
            pairs += musdb(root / self.musdb)
        if self.mir1k:
            pairs += mir1k(root / self.mir1k, self.singers)
        missing = [
            name for name in self.held_out + self.watched if not any(matches(pair, [name]) for pair in pairs)
        ]
        if missing:
            raise ValueError(f"held out, but not in the data: {', '.join(missing)}")
        not_held_out = [name for name in self.watched if name not in self.held_out]
        if not_held_out:
            raise ValueError(f"watched songs must be held out, too: {', '.join(not_held_out)}")
        return pairs

    def training_pairs(self, root: Path) -> list[Pair]:
        return [pair for pair in self.pairs(root) if not matches(pair, self.held_out)]

    def watched_pairs(self, root: Path) -> list[Pair]:
        return [pair for pair in self.pairs(root) if matches(pair, self.watched)]

    def instrumental_tracks(self, root: Path) -> list[Track]:
        if not self.instrumentals:
            return []
        return instrumentals(
            root / self.instrumentals, self.instrumental_seconds, self.instrumentals_held_out
        )

    def solo_voices(self, root: Path) -> list[Singer]:
        folders = (self.voices,) if isinstance(self.voices, str) else self.voices
        return [singer for folder in folders for singer in voices(root / folder, self.voices_licences)]


def matches(pair: Pair, names: Iterable[str]) -> bool:
    """Whether a pair is one of ``names``: its own name, or that of the song whose clip it is."""
    return any(pair.name == name or pair.name.rpartition("_")[0] == name for name in names)


@dataclass(frozen=True)
class Mixing:
    """How examples are drawn: probabilities, unless a unit is named. A recipe's ``[mixing]`` table
    overrides them.
    """

    recorded: float = 0.3  # voice and accompaniment of one recording stay together
    phrases: float = 0.5  # of voices that are not as recorded, if there are dry ones to make phrases of
    dry_voices: float = 0.45  # of all voices, those nobody mixed (MIR-1K)
    dry_backings: float = 0.1  # of all backings, the accompaniments of such clips
    instrumentals: float = 0.5  # of all backings, music without a voice
    resampled: float = 0.75
    resampling: float = 0.17  # the largest |ln(ratio)|
    voice_db: float = -5.0  # a voice's level over its backing, mean and deviation
    voice_db_deviation: float = 4.5
    level_db: float = -22.0  # the mixture's level below full scale, mean and deviation
    level_db_deviation: float = 7.0
    reverberation: float = 0.6  # of dry voices; of others a quarter as often
    formants: float = 0.4
    equaliser: float = 0.6
    tilt: float = 0.8  # dB per octave, the deviation of what an equaliser turns
    compression: float = 0.3
    roughness: float = 0.0  # of voices: noise in place of the vocal cords
    saturation: float = 0.0  # of voices that are not as recorded
    panning: float = 0.35  # of dry voices, which are in the middle else
    doubling: float = 0.15
    second_voice: float = 0.12
    second_backing: float = 0.15
    reversal: float = 0.1
    mono: float = 0.12
    voice_only: float = 0.03
    backing_only: float = 0.04
    pause: float = 0.12  # some of the voice's frames are silent
    silence: float = 0.0  # before or after everything, as patches see it at a recording's ends
    noise: float = 0.5  # a noise floor, as 16-bit files have and freshly decoded ones do not
    hidden: float = 0.3  # some bands or frames are not shown to the network


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train. The rate rises over ``warmup`` steps; then it falls as half a
    cosine to zero, or, of the schedule "constant", stays until ``decay_steps`` before the end and falls
    in a line to zero.
    """

    schedule: str = "cosine"
    decay_steps: int = 0
    steps: int = 5000
    batch: int = 8
    frames: int = 130
    optimiser: str = "adamw"  # or "muon"
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup: int = 100
    clip: float = 1.0  # the largest norm of the gradient
    detail: float = 1.0  # weight of the compressed magnitudes in the loss, see .loss
    averaging: float = 0.998  # of the weights that are scored and exported, over steps
    score_every: int = 200  # steps
    seed: int = 0


@dataclass(frozen=True)
class Recipe:
    """The tables of a recipe file."""

    name: str
    model: dict[str, Any]
    data: Data
    mixing: Mixing = field(default_factory=Mixing)
    training: Schedule = field(default_factory=Schedule)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; an unknown key or table is a ValueError that names it.

    One that ``extends`` a shipped recipe says only what differs. That recipe can extend another in turn;
    recipes that extend each other in a circle are a ValueError that names them all.
    """
    tables = _with_bases(path)
    for key in ("name", "model", "data"):
        if key not in tables:
            raise ValueError(f"{path} lacks {key!r}")
    unknown = tables.keys() - {"name", "model", "data", "mixing", "training"}
    if unknown:
        raise ValueError(f"{path} has unknown tables or keys: {', '.join(sorted(unknown))}")
    data: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in tables["data"].items()
    }
    try:
        return Recipe(
            tables["name"],
            tables["model"],
            Data(**data),
            Mixing(**tables.get("mixing", {})),
            Schedule(**tables.get("training", {})),
        )
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from None


def _with_bases(path: Path, extending: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The tables of a recipe on top of those of the recipes that it extends.

    ``extending`` is the chain of recipes that led to this one.
    """
    chain = (*extending, path.resolve())
    if path.resolve() in extending:
        names = " -> ".join(recipe.stem for recipe in chain)
        raise ValueError(f"{chain[0]} extends recipes that extend each other in a circle: {names}")
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not a recipe: {error}") from None
    if "extends" not in tables:
        return tables
    base = tables.pop("extends")
    if base not in shipped_recipes():
        raise ValueError(f"{path} extends {base!r}; it can be one of {', '.join(shipped_recipes())}")
    merged = _with_bases(RECIPES / f"{base}.toml", chain)
    for key, value in tables.items():
        below = merged.get(key)
        merged[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def shipped_recipes() -> list[str]:
    """The names of the recipes inside the package."""
    return sorted(file.stem for file in RECIPES.glob("*.toml"))


def find_recipe(recipe: str) -> Path:
    """The file of a shipped recipe's name, or a path as it is."""
    if recipe in shipped_recipes():
        return RECIPES / f"{recipe}.toml"
    path = Path(recipe)
    if not path.is_file():
        raise FileNotFoundError(
            f"no recipe {recipe!r}: neither a file nor one of {', '.join(shipped_recipes())}"
        )
    return path
