"""The compiled parts of the package: where they are installed, and what to do where they are missing.

An editable install keeps them apart from the Python sources, so they are looked for beside the core.
"""

from __future__ import annotations

from pathlib import Path

try:
    import pyvocsep._core
except ModuleNotFoundError as error:
    if error.name != "pyvocsep._core":
        raise
    _package = Path(__file__).resolve().parent
    _sources = _package.parent
    if (_sources / "CMakeLists.txt").is_file():
        raise ImportError(
            f"pyvocsep is imported from its source folder, {_sources}, which has no compiled core. "
            "Run Python in another folder, where it finds the installed package, "
            f'or make the sources importable: pip install -e "{_sources}"'
        ) from None
    raise ImportError(
        f"pyvocsep in {_package} has no compiled core for this Python: it was installed for another version "
        "of Python, or not completely. Install it again: pip install --force-reinstall --no-deps pyvocsep"
    ) from None

FOLDER = Path(pyvocsep._core.__file__).parent
"""The folder of the compiled parts; it is laid out as the package is."""
