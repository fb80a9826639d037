"""``python -m pyvocsep.evaluation mir1k|musdb|level|phantom --data DIR --model NAME``: the scores of models
on a benchmark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from pyvocsep.datasets import Pair
from pyvocsep.models import DEFAULT

from .pictures import picture
from .protocols import BENCHMARKS, Result, instrumental_pieces, mir1k_test, musdb_songs
from .report import report, table, write_csv
from .systems import ENGINES, ORACLE, UNPROCESSED, System, system


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.benchmark == "report":
            for benchmark in BENCHMARKS:
                if (options.output / benchmark).is_dir():
                    print(f"{benchmark}\n\n{report(options.output, benchmark)}\n")
            return 0
        if options.benchmark == "pictures":
            chosen = system(options.model, "core")
            for pair in musdb_songs(options.data, options.song):
                path = options.output / f"{pair.name}-{options.start:g}s.png"
                picture(pair, chosen, path, options.start, options.seconds)
                print(path)
            return 0
        if options.benchmark == "mir1k":
            pairs = mir1k_test(options.data, options.every)
        elif options.benchmark == "phantom":
            pairs = instrumental_pieces(options.data)
        else:
            pairs = musdb_songs(options.data, _song_names(options.songs) if options.songs else None)
        names = list(dict.fromkeys(options.model or [DEFAULT]))
        _systems(tuple(names), options.engine)  # what is wrong with a model is said before the work begins
        scored = list(_scored(options.benchmark, pairs, names, options.engine, options.jobs))
        results = {_label(name): [some[name] for some in scored] for name in names}
        if options.output:
            for label, some in results.items():
                write_csv(options.output / options.benchmark / f"{label}.csv", some)
            print(report(options.output, options.benchmark))
        else:
            print(table(results, options.benchmark))
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _scored(
    benchmark: str, pairs: Sequence[Pair], names: Sequence[str], engine: str, jobs: int
) -> Iterator[dict[str, Result]]:
    """Every recording's results by the systems' names, in order, computed by ``jobs`` processes."""
    score = partial(_score, benchmark, tuple(names), engine)
    bar = partial(tqdm, total=len(pairs), unit="recording", disable=None)
    if jobs == 1:
        yield from bar(map(score, pairs))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            yield from bar(pool.map(score, pairs))


def _score(benchmark: str, names: tuple[str, ...], engine: str, pair: Pair) -> dict[str, Result]:
    return BENCHMARKS[benchmark].score(pair, _systems(names, engine))


@lru_cache(maxsize=1)
def _systems(names: tuple[str, ...], engine: str) -> dict[str, System]:
    return {name: system(name, engine) for name in names}


def _label(name: str) -> str:
    """What a system is called in tables: its name, or that of its file."""
    return name if name in (ORACLE, UNPROCESSED) else Path(name).stem


def _song_names(songs: str) -> list[str]:
    """The names in a text file, one per line, or the held-out songs of a recipe (a file or a shipped
    name).
    """
    from pyvocsep.training.recipe import find_recipe, load_recipe

    path = Path(songs)
    if path.suffix == ".txt":
        return [line.strip() for line in path.read_text().splitlines() if line.strip()]
    return list(load_recipe(find_recipe(songs)).data.held_out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pyvocsep.evaluation", description=__doc__)
    benchmarks = parser.add_subparsers(dest="benchmark", required=True)
    mir1k = benchmarks.add_parser("mir1k", help="825 clips, equal energy, BSS Eval v3")
    mir1k.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th clip")
    musdb = benchmarks.add_parser("musdb", help="SONG/{vocals,accompaniment} folders: uSDR and BSS Eval v4")
    level = benchmarks.add_parser("level", help="such songs, louder and softer: uSDR of the vocals")
    for songs in (musdb, level):
        songs.add_argument(
            "--songs", help="a .txt with a name per line, or a recipe, whose held-out songs are meant"
        )
    phantom = benchmarks.add_parser("phantom", help="music without a voice: how loud its vocals are")
    for benchmark in (mir1k, musdb, level, phantom):
        add = benchmark.add_argument
        add("--data", type=Path, required=True, metavar="DIR", help="the data set's folder")
        add(
            "--model",
            action="append",
            metavar="NAME",
            help=f"a shipped name, a model file, '{UNPROCESSED}' (unprocessed), or '{ORACLE}' (the "
            "oracle); can be repeated (band-gru)",
        )
        add("--engine", choices=ENGINES, default="core", help="what computes the masks (core)")
        add("--jobs", type=int, default=1, metavar="N", help="processes (1)")
        add(
            "--output",
            type=Path,
            metavar="DIR",
            help="keep a CSV per system there, and make the table and the plots of all that it holds",
        )
    pictures = benchmarks.add_parser(
        "pictures", help="spectrograms of songs, and of the stems found and true"
    )
    pictures.add_argument("--data", type=Path, required=True, metavar="DIR", help="the songs' folder")
    pictures.add_argument(
        "--song", action="append", metavar="NAME", help="one of them; can be repeated (all)"
    )
    pictures.add_argument(
        "--model", default=DEFAULT, metavar="NAME", help=f"a shipped name or a file ({DEFAULT})"
    )
    pictures.add_argument("--start", type=float, default=0.0, metavar="S", help="seconds (0)")
    pictures.add_argument("--seconds", type=float, default=6.0, metavar="S", help="how many (6)")
    pictures.add_argument("--output", type=Path, required=True, metavar="DIR", help="PNGs go there")
    again = benchmarks.add_parser("report", help="make the tables and plots of the CSVs in a folder again")
    again.add_argument("--output", type=Path, required=True, metavar="DIR")
    return parser


if __name__ == "__main__":
    sys.exit(main())
