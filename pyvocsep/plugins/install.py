"""Copies of the plugins in a user's folders: complete, so that they work without this package."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from pyvocsep.plugins.bundles import Format, bundle_path, library, user_folder, weights


def place(plugin: Format, folder: Path | None = None) -> Path:
    """Return where the plugin is, or would be, installed; ``folder`` is the user's for the format if None."""
    return (folder or user_folder(plugin)) / plugin.bundle


def install(plugin: Format, folder: Path | None = None, *, link: bool = False) -> Path:
    """Install the plugin, in place of an earlier one, and return its bundle.

    Args:
        plugin: a format, of `bundles.FORMATS`.
        folder: where, if not in the user's folder for the format; it is created if need be.
        link: make a symbolic link to this package's bundle instead of a copy: it then follows updates of the
            package, and ends with it.

    A copy appears when it is whole: a host that looks for plugins meanwhile finds the old or the new one.

    Raises FileNotFoundError if this pyvocsep was built without the plugin, FileExistsError if something else
    has its name, OSError for what the file system refuses.
    """
    target, source = place(plugin, folder), bundle_path(plugin)
    _check_ours(plugin, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pyvocsep-", dir=target.parent) as temporary:
        # One level down, where no host looks for bundles.
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        if link:
            new.symlink_to(source, target_is_directory=True)
        else:
            shutil.copytree(source, new)
            for name, file in weights(plugin).items():
                if not (new / name).is_file():
                    (new / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, new / name)
        if os.path.lexists(target):
            target.rename(old)
        new.rename(target)
        if old.is_symlink():
            old.unlink()  # TemporaryDirectory follows no links, but on Windows it cannot remove them
    return target


def remove(plugin: Format, folder: Path | None = None) -> bool:
    """Remove the installed plugin; return whether there was one.

    Raises FileExistsError if what has its name is something else, OSError for what the file system refuses.
    """
    target = place(plugin, folder)
    if not os.path.lexists(target):
        return False
    _check_ours(plugin, target)
    if target.is_symlink():
        target.unlink()
    else:
        shutil.rmtree(target)
    return True


def state(plugin: Format, folder: Path | None = None) -> str:
    """Return in words what is installed."""
    target = place(plugin, folder)
    if not os.path.lexists(target):
        return "not installed"
    if target.is_symlink():
        return f"a link to {os.readlink(target)}" + ("" if target.exists() else ", which is gone")
    try:
        source = bundle_path(plugin)
    except FileNotFoundError:
        return "installed; this pyvocsep has no such plugin to compare it with"
    files = {str(library(plugin)): source / library(plugin), **weights(plugin)}
    same = all(_equal(file, target / name) for name, file in files.items())
    return "installed, that of this pyvocsep" if same else "installed, of another pyvocsep"


def _check_ours(plugin: Format, target: Path) -> None:
    if os.path.lexists(target) and not target.is_symlink() and not (target / plugin.mark).exists():
        raise FileExistsError(
            errno.EEXIST,
            f"no {plugin.name} plugin, so it is left as it is; move it out of the way",
            str(target),
        )


def _equal(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()
