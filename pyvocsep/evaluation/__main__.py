"""``python -m pyvocsep.evaluation mir1k|musdb --data DIR --model NAME``: the scores of a model on a
benchmark.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from . import engines
from .protocols import Result, evaluate_mir1k, evaluate_musdb, mean, mir1k_test, musdb_songs


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        engine = getattr(engines, options.engine)(options.model)
        if options.benchmark == "mir1k":
            pairs = mir1k_test(options.data, options.every)
            running = evaluate_mir1k(pairs, engine)
        else:
            pairs = musdb_songs(options.data, _song_names(options.songs) if options.songs else None)
            running = evaluate_musdb(pairs, engine)
        results = list(tqdm(running, total=len(pairs), unit="recording", disable=None))
        if options.csv:
            write_csv(options.csv, results)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # The MIR-1K table weighs clips by their length: NSDR becomes GNSDR, SIR GSIR, SAR GSAR.
    means = mean(results, weighted=options.benchmark == "mir1k")
    prefix = "G" if options.benchmark == "mir1k" else ""
    print(table(options.model, len(results), means, prefix))
    return 0


def table(model: str, count: int, means: dict[str, float], prefix: str = "") -> str:
    """A Markdown table of one row."""
    heads = [" ".join([*name.split(" ")[:-1], prefix + name.split(" ")[-1]]) for name in means]
    rows = [
        ["model", "recordings", *heads],
        ["---"] * (len(heads) + 2),
        [model, str(count), *(f"{value:.2f}" for value in means.values())],
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write_csv(path: Path, results: Sequence[Result]) -> None:
    """One line per recording."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "seconds", *results[0].measures])
        for result in results:
            writer.writerow(
                [result.name, f"{result.seconds:.3f}", *(f"{v:.4f}" for v in result.measures.values())]
            )


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
    mir1k.add_argument("--every", type=int, default=1, help="only every N-th clip")
    musdb = benchmarks.add_parser("musdb", help="SONG/{vocals,accompaniment} folders, uSDR")
    musdb.add_argument(
        "--songs", help="a .txt with a name per line, or a recipe, whose held-out songs are meant"
    )
    for benchmark in (mir1k, musdb):
        benchmark.add_argument("--data", type=Path, required=True, help="the data set's folder")
        benchmark.add_argument("--model", default="band-gru", help="a shipped name or a .safetensors file")
        benchmark.add_argument(
            "--engine", choices=engines.ENGINES, default="core", help="what computes the masks"
        )
        benchmark.add_argument("--csv", type=Path, help="write the measures of every recording")
    return parser


if __name__ == "__main__":
    sys.exit(main())
