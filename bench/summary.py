"""What the benchmarks found, as people read it: x real time, shares of a limit, ratios within one group."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEAK = "peak"  # the name that begins those of the roofline's benchmarks


@dataclass(frozen=True)
class Row:
    """One benchmark: ``value`` in the unit of its group, and how it is written."""

    group: str
    name: str
    value: float
    figure: str
    note: str


def rows_of(benches: Sequence[Any]) -> list[Row]:
    """The rows of all groups, the best of each first.

    What a benchmark left in ``extra_info`` says what its figure is: ``audio_seconds`` x real time,
    ``samples`` and ``recordings`` the cost of one, ``flops`` GFLOP/s, ``budget_seconds`` percentiles of a
    budget, ``peak_mb`` memory; else it is time.
    """
    done = [bench for bench in benches if bench.stats.rounds]
    peaks = {
        bench.extra_info["precision"]: bench.extra_info["flops"] / bench.stats.median
        for bench in done
        if bench.extra_info.get("roofline")
    }
    rows: list[Row] = []
    for group in dict.fromkeys(bench.group or "" for bench in done):
        members = [bench for bench in done if (bench.group or "") == group]
        rows += sorted((_row(bench, members, peaks) for bench in members), key=lambda row: -row.value)
    return rows


def _row(bench: Any, members: Sequence[Any], peaks: dict[str, float]) -> Row:
    info, median = bench.extra_info, bench.stats.median
    group = bench.group or ""
    name = bench.name.removeprefix("test_").replace("_", " ").replace("[", ": ").removesuffix("]")
    if "peak_mb" in info:
        return Row(group, name, -info["peak_mb"], f"{info['peak_mb']:.0f} MB", "")
    if "budget_seconds" in info:
        times = sorted(bench.stats.data)
        quantiles = {"median": 0.5, "99 %": 0.99, "99.9 %": 0.999, "worst": 1.0}
        shares = {
            label: times[min(len(times) - 1, int(quantile * len(times)))] / info["budget_seconds"]
            for label, quantile in quantiles.items()
        }
        text = ", ".join(f"{label} {100 * share:.1f} %" for label, share in shares.items())
        return Row(
            group,
            name,
            -median,
            f"{1e6 * median:.0f} us",
            f"of {1e3 * info['budget_seconds']:.1f} ms: {text}",
        )
    if "audio_seconds" in info:
        speed = info["audio_seconds"] / median
        slowest_speed = min(member.extra_info["audio_seconds"] / member.stats.median for member in members)
        ratio = f"{speed / slowest_speed:.2f} x the slowest" if len(members) > 1 else ""
        if "ideal_seconds" in info:
            ratio += f", {100 * info['ideal_seconds'] / median:.0f} % of ideal"
        return Row(group, name, speed, f"{speed:.1f} x real time", ratio)
    if "recordings" in info:
        return Row(group, name, -median, f"{1e3 * median / info['recordings']:.2f} ms a recording", "")
    if "samples" in info:
        return Row(group, name, -median, f"{1e9 * median / info['samples']:.0f} ns a sample", "")
    if "flops" in info:
        rate = info["flops"] / median
        peak = peaks.get(info.get("precision", "float32"))
        slowest = min(member.extra_info["flops"] / member.stats.median for member in members)
        notes = [f"{rate / slowest:.2f} x the slowest"] if len(members) > 1 else []
        if peak and not info.get("roofline"):
            notes.insert(0, f"{100 * rate / peak:.0f} % of the measured peak")
        return Row(group, name, rate, f"{rate / 1e9:.1f} GFLOP/s", ", ".join(notes))
    return Row(group, name, -median, f"{1e3 * median:.0f} ms", "")


def as_markdown(rows: Sequence[Row]) -> str:
    """All tables, and the machine they are from."""
    lines = [
        "# Speed",
        "",
        f"`pytest bench --report results` on {processor()}. Medians of one run; one thread if not said.",
        "",
    ]
    for group in dict.fromkeys(row.group for row in rows):
        lines += [f"## {group}", "", "| case | | |", "| --- | ---: | --- |"]
        lines += [f"| {row.name} | {row.figure} | {row.note} |" for row in rows if row.group == group]
        lines.append("")
    return "\n".join(lines)


def processor() -> str:
    """What the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({len(names)} cores)" if names else platform.machine()


def plot(rows: Sequence[Row], path: Path) -> None:
    """Every group that compares something in x real time as bars, a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    speeds = [row for row in rows if row.figure.endswith("x real time")]
    groups = list(dict.fromkeys(row.group for row in speeds if row.note))
    if not groups:
        return
    counts = [sum(row.group == group for row in speeds) for group in groups]
    figure = Figure(figsize=(8, 0.28 * sum(counts) + 0.62 * len(groups)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(
        len(groups), 1, squeeze=False, gridspec_kw={"height_ratios": [c + 1 for c in counts]}
    )
    for group, panel in zip(groups, panels[:, 0], strict=True):
        bars = [row for row in speeds if row.group == group][::-1]
        colours = [
            "#b0b0b0"
            if "onnxruntime" in row.name or "torch" in row.name or "spleeter" in row.name
            else "#2a7fb8"
            for row in bars
        ]
        panel.barh([row.name for row in bars], [row.value for row in bars], color=colours)
        for i, row in enumerate(bars):
            panel.text(row.value, i, f" {row.value:.0f}", va="center", fontsize=7)
        panel.set_title(f"{group}, x real time", fontsize=8, loc="left")
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
