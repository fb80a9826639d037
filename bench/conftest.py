"""Speed as it matters: seconds of audio per second of computing, and ratios within one run."""

from __future__ import annotations

import os

# Before numpy, torch and onnxruntime start their threads: everything here runs on one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print each benchmark as x real time and, within its group, as a multiple of the slowest.

    Those with a budget are printed as shares of it.
    """
    session = getattr(config, "_benchmarksession", None)
    groups: dict[str, list[Any]] = {}
    for bench in session.benchmarks if session else []:
        if bench.stats.rounds:
            groups.setdefault(bench.group or "", []).append(bench)
    for group, benches in groups.items():
        terminalreporter.write_sep("-", group)
        if "budget_seconds" in benches[0].extra_info:
            _write_shares(terminalreporter, benches)
            continue
        speeds = {bench.name: bench.extra_info["audio_seconds"] / bench.stats.median for bench in benches}
        slowest = min(speeds.values())
        for name, speed in sorted(speeds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(
                f"{name:60} {speed:8.1f} x real time {speed / slowest:7.2f} x the slowest"
            )


def _write_shares(terminalreporter: Any, benches: list[Any]) -> None:
    for bench in benches:
        times = sorted(bench.stats.data)
        shares = {
            name: times[min(len(times) - 1, int(quantile * len(times)))] / bench.extra_info["budget_seconds"]
            for name, quantile in (("median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999), ("worst", 1.0))
        }
        budget = f"of {1000 * bench.extra_info['budget_seconds']:.1f} ms"
        text = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
        terminalreporter.write_line(f"{bench.name:40} {text} {budget}")
