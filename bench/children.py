"""Processes of their own, for what a whole process costs: its memory and its start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

# The high-water mark of the resident set, which Linux keeps for each address space.
PRINT_PEAK = """
print("peak", next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def run(code: str, *arguments: str, python: str = sys.executable) -> str:
    """Run Python code on one thread; returns what it printed. RuntimeError with its errors if it fails."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    }
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    # In the repository, Python would import the sources in place of the installed package.
    folder = tempfile.gettempdir()
    done = subprocess.run(
        [python, "-c", code, *arguments], capture_output=True, text=True, env=environment, cwd=folder
    )
    if done.returncode:
        raise RuntimeError(f"{python} -c ... ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def peak_mb(output: str) -> float:
    """The figure that PRINT_PEAK printed, in MB."""
    return next(int(line.split()[1]) for line in output.splitlines() if line.startswith("peak ")) * 1024 / 1e6
