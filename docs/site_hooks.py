"""What MkDocs cannot do by itself: model cards as pages, and links to files of the repository.

The pages of `docs/` link to other files of the repository by relative paths, as one reads them there. The
site has no such files: a link to a model card becomes one to its page, any other the path after its text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
CARDS = ROOT / "pyvocsep/models"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)((?:#[^)\s]*)?)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add a page for each model card, below the page of the models."""
    for card in sorted(CARDS.glob("*.md")):
        files.append(
            File.generated(
                config, f"cards/{card.name}", content=rewritten(card.read_text(encoding="utf-8"), card)
            )
        )
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page that lies in docs/."""
    source = page.file.abs_src_path
    return rewritten(markdown, Path(source)) if source else markdown


def rewritten(markdown: str, source: Path) -> str:
    """The text of a page with its links to files outside docs/ as the site has them."""

    def replace(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups()
        file = Path(os.path.normpath(source.parent / target))
        is_card = source.parent == CARDS
        if file.is_relative_to(ROOT / "docs") and not is_card:
            return match[0]  # MkDocs checks it
        if not file.exists():
            raise PluginError(f"{source.relative_to(ROOT)}: a link leads to {target}, where nothing is")
        if file.parent == CARDS and file.suffix == ".md":
            return f"[{text}]({'' if is_card else 'cards/'}{file.name}{anchor})"
        path = file.relative_to(ROOT).as_posix()
        return f"`{path}`" if text in (path, file.name) or image else f"{text} (`{path}`)"

    return LINK.sub(replace, markdown)
