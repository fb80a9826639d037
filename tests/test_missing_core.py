"""A package without its compiled core says what is wrong and what to do.

The sources are copied to where no core is, and imported by a Python that sees no installed packages (`-S`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pyvocsep


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package's Python files, alone."""
    source = Path(pyvocsep.__file__).parent
    for path in source.rglob("*.py"):
        target = tmp_path / "somewhere" / "pyvocsep" / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path / "somewhere" / "pyvocsep"


def error_of(package: Path, *command: str) -> str:
    """The last line that Python prints, run in the folder that the package lies in."""
    run = subprocess.run(
        [sys.executable, "-S", *command], cwd=package.parent, env={}, capture_output=True, text=True
    )
    assert run.returncode == 1
    return run.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "command",
    [("-c", "import pyvocsep"), ("-c", "import pyvocsep.models"), ("-m", "pyvocsep", "song.wav")],
    ids=["package", "submodule", "command"],
)
def test_in_the_source_folder(package: Path, command: tuple[str, ...]) -> None:
    (package.parent / "CMakeLists.txt").touch()
    error = error_of(package, *command)
    assert error.startswith(f"ImportError: pyvocsep is imported from its source folder, {package.parent}, ")
    assert "Run Python in another folder" in error
    assert f'pip install -e "{package.parent}"' in error
    assert "circular" not in error


def test_in_an_incomplete_installation(package: Path) -> None:
    error = error_of(package, "-c", "import pyvocsep")
    assert error.startswith(f"ImportError: pyvocsep in {package} has no compiled core for this Python")
    assert "pip install --force-reinstall" in error


def test_a_core_that_does_not_load_says_so_itself(package: Path) -> None:
    (package / "_core.py").write_text("raise ImportError('undefined symbol: f')\n")
    assert error_of(package, "-c", "import pyvocsep") == "ImportError: undefined symbol: f"


def test_a_missing_package_that_the_core_needs_is_named(package: Path) -> None:
    (package / "_core.py").write_text("import a_package_that_is_missing\n")
    assert "a_package_that_is_missing" in error_of(package, "-c", "import pyvocsep")
