"""The rooms of the package: imports go one way, and no file grows beyond what one can take in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 350


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the installed package."""
    code = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    return subprocess.run(
        [sys.executable, "-c", code, str(config), "--no-cache"], capture_output=True, text=True
    )


@pytest.fixture(autouse=True)
def _linter() -> None:
    pytest.importorskip("importlinter", reason="needs import-linter: pip install '.[test]'")


def test_imports_go_one_way() -> None:
    checked = lint(ROOT / "pyproject.toml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_import_the_other_way_is_found(tmp_path: Path) -> None:
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = config[config.index("[tool.importlinter]") :]
    exchanged = section.replace('  "evaluation",\n  "training",\n', '  "training",\n  "evaluation",\n')
    assert exchanged != section
    wrong = tmp_path / "pyproject.toml"
    wrong.write_text(exchanged)
    checked = lint(wrong)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "pyvocsep.evaluation is not allowed to import pyvocsep.training" in checked.stdout


def too_long(files: list[Path]) -> list[str]:
    return [
        f"{file}: {lines} lines"
        for file in files
        if (lines := len(file.read_bytes().splitlines())) > MOST_LINES
    ]


def test_no_file_is_too_long(tmp_path: Path) -> None:
    files = [
        file
        for room in ("pyvocsep", "csrc", "bench", "examples", ".ci")
        for file in (ROOT / room).rglob("*")
        if file.suffix in (".py", ".pyi", ".cpp", ".c", ".h", ".toml", "") and file.is_file()
        if "tests" not in file.relative_to(ROOT).parts and "__pycache__" not in file.parts
    ]
    assert len(files) > 100
    assert too_long(files) == []
    (tmp_path / "long.py").write_text("x = 0\n" * (MOST_LINES + 1))
    assert len(too_long([tmp_path / "long.py"])) == 1
