"""The pages of the documentation: examples run, links lead somewhere, variables and options are all there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from conftest import Mixture
from pages import blocks, run_examples

import pyvocsep

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)#:\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem
)
def test_the_examples_run(page: Path, mixture: Mixture) -> None:
    run_examples(page, mixture, pyvocsep=pyvocsep, pedalboard=pytest.importorskip("pedalboard"))


def test_there_are_examples_to_run() -> None:
    assert sum(len(blocks(page, "python")) for page in PAGES) >= 8


@pytest.mark.parametrize(
    "page",
    [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "THIRD_PARTY.md"))],
    ids=lambda page: page.name,
)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        file = page.parent / target
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {
                re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
            }
            assert anchor[1:] in slugs, f"{target}{anchor}"


def test_every_page_is_in_the_site() -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in PAGES:
        assert f": {page.name}\n" in config, page.name


COMMANDS = {
    "pyvocsep": ["pyvocsep/cli.py", "pyvocsep/cli"],
    "pyvocsep-plugins": ["pyvocsep/plugins"],
    "python -m pyvocsep.live": ["pyvocsep/live"],
    "python -m pyvocsep.corpus": ["pyvocsep/corpus"],
    "python -m pyvocsep.web": ["pyvocsep/web"],
    "python -m pyvocsep.training": ["pyvocsep/training"],
    "python -m pyvocsep.evaluation": ["pyvocsep/evaluation"],
}


def sources(places: list[str]) -> str:
    """The Python of files and folders, as one text."""
    paths = [
        path
        for place in places
        for path in ((ROOT / place).rglob("*.py") if "." not in place else [ROOT / place])
    ]
    return "".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def test_the_options_in_command_lines_exist() -> None:
    seen = 0
    for page in [*PAGES, ROOT / "README.md"]:
        for line in "".join(blocks(page, "sh")).splitlines():
            for part in line.partition("#")[0].split("&&"):
                command = next((name for name in COMMANDS if part.strip().startswith(name + " ")), None)
                if command is None:
                    continue
                known = sources(COMMANDS[command])
                for option in re.findall(r"(?<= )--?[a-z][a-z-]*", part.partition(command)[2]):
                    seen += 1
                    assert f'"{option}"' in known, f"{page.name}: {part.strip()}: {option}"
    assert seen > 15


def test_every_environment_variable_and_build_option_is_documented() -> None:
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(PYVOCSEP_\w+)`", page, re.MULTILINE))
    reads = re.compile(r'(?:getenv\(|environ\.get\(|environ\[)\s*"(PYVOCSEP_\w+)"')
    read = {
        name
        for room in ("csrc", "pyvocsep", "bench", "tests")
        for path in (ROOT / room).rglob("*")
        if path.suffix in (".py", ".cpp", ".h")
        for name in reads.findall(path.read_text(encoding="utf-8"))
    }
    options = set(
        re.findall(
            r"^option\((PYVOCSEP_\w+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert len(read) >= 5
    assert len(options) >= 8
    assert documented == read | options


def test_the_picture_of_the_latency_is_todays() -> None:
    drawn = runpy.run_path(str(ROOT / "docs/latency_picture.py"))["picture"]()
    assert (ROOT / "docs/pictures/latency.svg").read_text(encoding="utf-8") == drawn
