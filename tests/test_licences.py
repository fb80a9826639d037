"""The licences say one thing wherever they are said: metadata, texts, cards."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from pyvocsep.models import model_path, shipped_models

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
WEIGHTS = "LicenseRef-pyvocsep-weights"


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_package_names_every_licence_that_its_files_are_under() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    annotations = tomllib.loads(read("REUSE.toml"))["annotations"]
    used = {each["SPDX-License-Identifier"] for each in annotations}
    assert set(project["license"].split(" AND ")) == used
    assert {path.stem for path in (ROOT / "LICENSES").iterdir()} == used
    assert {"LICENSE", "LICENSES/*", "THIRD_PARTY.md"} == set(project["license-files"])


def test_the_weights_terms_name_every_file_that_is_shipped() -> None:
    named = re.findall(r"^pyvocsep/models/(\S+)$", read(f"LICENSES/{WEIGHTS}.txt"), re.MULTILINE)
    assert sorted(named) == sorted(model_path(name).name for name in shipped_models())


@pytest.mark.parametrize("name", shipped_models())
def test_a_card_names_its_file_and_its_terms(name: str) -> None:
    card = read(f"pyvocsep/models/{name}.md")
    assert f"| file | `{model_path(name).name}`" in card
    assert f"LICENSES/{WEIGHTS}.txt" in card


def test_what_is_installed_with_the_package_is_listed() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    table = read("THIRD_PARTY.md")
    for requirement in project["dependencies"]:
        assert f"| {re.match(r'[A-Za-z_]+', requirement)[0]} |" in table  # type: ignore[index]
    extras = project["optional-dependencies"]
    for extra in set(extras) - {"bench", "docs", "test", "dev"}:
        assert f"| `{extra}` |" in table
