"""`pyvocsep-plugins`: install the VST3 and LV2 plugins where other programs of this user find them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pyvocsep.plugins import install
from pyvocsep.plugins.bundles import FORMATS, Format


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 if all is done, 1 if not, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None and not options.list and not options.remove:
        parser.print_usage(sys.stderr)
        return 2
    chosen = [plugin for plugin in FORMATS if options.format in (None, plugin.name.lower())]
    failed = False
    for plugin in chosen:
        try:
            print(f"{plugin.name}: {_act(plugin, options)}")
        except OSError as error:
            failed = True
            where = f": {error.filename}" if error.filename else ""
            print(f"pyvocsep-plugins: {plugin.name}: {error.strerror or error}{where}", file=sys.stderr)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyvocsep-plugins",
        description="Install the VST3 and LV2 plugins where this user's audio programs look for them.",
    )
    add = parser.add_argument
    add("command", nargs="?", choices=["install"], help="install them, or what an option below says")
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--list", action="store_true", help="show what is installed, and change nothing")
    actions.add_argument("--remove", action="store_true", help="remove them again")
    add("--format", choices=[plugin.name.lower() for plugin in FORMATS], help="only this one")
    add("--folder", type=Path, metavar="DIR", help="not the user's usual folder of plugins")
    add("--link", action="store_true", help="links to this Python environment instead of copies")
    return parser


def _act(plugin: Format, options: argparse.Namespace) -> str:
    if options.list:
        return f"{install.place(plugin, options.folder)}: {install.state(plugin, options.folder)}"
    if options.remove:
        removed = install.remove(plugin, options.folder)
        return f"{install.place(plugin, options.folder)}: {'removed' if removed else 'was not installed'}"
    return f"{install.install(plugin, options.folder, link=options.link)}: installed"


if __name__ == "__main__":
    sys.exit(main())
