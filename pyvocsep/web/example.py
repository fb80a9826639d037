"""The song that visitors can try, which comes with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_NAME = "lithium.opus"
_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "lithium", _HERE.parent.parent / "examples" / "lithium")
"""In an installed package, in the sources."""

_CREDIT = (
    "40 seconds of “Lithium” by Software-Entwicklungskit, from the album *Everything is Free*, "
    "which its makers gave away with all stems under CC0 1.0."
)


@dataclass(frozen=True)
class Example:
    """A song: its file's name and content, and who made it."""

    name: str
    data: bytes
    credit: str


def example_song() -> Example:
    """Return the example."""
    path = next(folder / _NAME for folder in _FOLDERS if (folder / _NAME).is_file())
    return Example(_NAME, path.read_bytes(), _CREDIT)
