"""Runs everything on one thread; see README.md."""

from __future__ import annotations

import os

# Before numpy, torch and onnxruntime start their threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from summary import as_markdown, plot, rows_of

RATE = 44_100
SECONDS = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", type=Path, metavar="DIR", help="write speed.md and speed.png into DIR")


@pytest.fixture(scope="session")
def audio() -> NDArray[np.float32]:
    """A minute of coloured noise, (2, samples): the time does not depend on what is heard."""
    noise = np.random.default_rng(0).standard_normal((2, RATE * SECONDS), np.float32)
    return np.ascontiguousarray(0.1 * (noise + np.roll(noise, 1, axis=1)))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print every group as a table, and write the report."""
    session = getattr(config, "_benchmarksession", None)
    rows = rows_of(session.benchmarks if session else [])
    for group in dict.fromkeys(row.group for row in rows):
        terminalreporter.write_sep("-", group)
        for row in rows:
            if row.group == group:
                terminalreporter.write_line(f"{row.name:56} {row.figure:>18}  {row.note}")
    folder = config.getoption("report")
    if rows and folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "speed.md").write_text(as_markdown(rows))
        plot(rows, folder / "speed.png")
