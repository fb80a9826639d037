"""Results on disk: a CSV for each system, the table and the box plots of all that lie in a folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .protocols import BENCHMARKS, Result, summarise
from .systems import ORACLE, UNPROCESSED

BOUNDLESS = 100.0
"""Ratios in dB above this say that nothing was wrong, as of a mixture's artifacts: no size means that."""

Results = Mapping[str, Sequence[Result]]


def write_csv(path: Path, results: Sequence[Result]) -> None:
    """One line per recording: its name, its length, its measures in dB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "seconds", *results[0].measures])
        for result in results:
            measures = (f"{value:.3f}" for value in result.measures.values())
            writer.writerow([result.name, f"{result.seconds:.3f}", *measures])


def read_csv(path: Path) -> list[Result]:
    """What :func:`write_csv` wrote."""
    with path.open(newline="") as file:
        return [
            Result(
                row.pop("name"), float(row.pop("seconds")), {key: float(value) for key, value in row.items()}
            )
            for row in csv.DictReader(file)
        ]


def report(folder: Path, benchmark: str) -> str:
    """Make ``BENCHMARK.md`` and ``BENCHMARK.png`` of the CSVs in ``folder``/``BENCHMARK``; returns the table.

    Raises ValueError if there are none, or if they are not of the same recordings.
    """
    files = sorted((folder / benchmark).glob("*.csv"))
    if not files:
        raise ValueError(f"no results in {folder / benchmark}")
    found = {file.stem: read_csv(file) for file in files}
    names = {system: [result.name for result in results] for system, results in found.items()}
    first = files[0].stem
    for system, recordings in names.items():
        if recordings != names[first]:
            raise ValueError(
                f"{first}.csv and {system}.csv in {folder / benchmark} are not of the same recordings: "
                f"score both on the same, or give another folder"
            )
    results = {system: found[system] for system in sorted(found, key=_order)}
    text = table(results, benchmark)
    (folder / f"{benchmark}.md").write_text(text + "\n")
    box_plots(results, benchmark, folder / f"{benchmark}.png")
    return text


def _order(system: str) -> tuple[int, str]:
    """Models by name, between the two marks of scale."""
    return {UNPROCESSED: 0, ORACLE: 2}.get(system, 1), system


def table(results: Results, benchmark: str) -> str:
    """A Markdown table, a row for each system, in dB."""
    rows = {name: summarise(values, BENCHMARKS[benchmark]) for name, values in results.items()}
    heads = list(next(iter(rows.values())))
    lines = [["system", "recordings", *heads], ["---", *["---:"] * (len(heads) + 1)]]
    for name, summary in rows.items():
        lines.append([name, str(len(results[name])), *(_text(summary[head]) for head in heads)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(value: float) -> str:
    return f"{value:.2f}" if value < BOUNDLESS else "-"


def box_plots(results: Results, benchmark: str, path: Path) -> None:
    """A panel for each measure: boxes from quartile to quartile, whiskers from the 5th to the 95th
    percentile, a triangle for the mean.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    measures = BENCHMARKS[benchmark].plotted
    rows = min(2, len(measures))
    columns = len(measures) // rows
    figure = Figure(figsize=(3.2 * columns + 1.6, 0.35 * len(results) * rows + 2.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for panel, measure in zip(panels.flat, measures, strict=True):
        values = [np.array([result.measures[measure] for result in some]) for some in results.values()]
        values = [some[np.isfinite(some) & (some < BOUNDLESS)] for some in values]
        panel.boxplot(
            values, orientation="horizontal", widths=0.6, whis=(5, 95), showfliers=False, showmeans=True
        )
        panel.set_yticks(range(1, len(results) + 1), list(results))
        panel.set_xlabel(f"{measure} (dB)")
        panel.grid(axis="x", alpha=0.3)
    panels[0, 0].invert_yaxis()  # which all share: the first system at the top
    figure.savefig(path, dpi=90)
