"""``PYVOCSEP_PROFILE``: where the time goes, said when the process ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import numpy, pyvocsep
pyvocsep.process(numpy.full((2, 100_000), 0.1, numpy.float32), 44_100, model='band-gru', threads=2)
"""
STAGES = {
    "analysis",
    "features",
    "encoder",
    "sum and norm",
    "time GRU",
    "band GRU",
    "decoder",
    "masking",
    "synthesis",
}


def errors_with(profile: str, folder) -> str:
    environment = os.environ | {"PYVOCSEP_PROFILE": profile}
    run = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, cwd=folder, check=True
    )
    return run.stderr


def test_every_stage_has_a_share_of_the_whole(tmp_path) -> None:
    rows = {line[:18].strip(): line[18:].split() for line in errors_with("1", tmp_path).splitlines()}
    assert rows.keys() == {"stage", "all", *STAGES}
    times = {stage: float(rows[stage][0]) for stage in STAGES}
    assert min(times.values()) >= 0
    assert float(rows["all"][0]) == pytest.approx(sum(times.values()), abs=0.5)
    assert sum(float(rows[stage][1].rstrip("%")) for stage in STAGES) == pytest.approx(100, abs=0.5)
    assert float(rows["time GRU"][2]) > 0, "products have a rate"
    assert len(rows["synthesis"]) == 2, "what has no products has none"


@pytest.mark.parametrize("profile", ["", "0"])
def test_nothing_is_said_unasked(profile, tmp_path) -> None:
    assert errors_with(profile, tmp_path) == ""
