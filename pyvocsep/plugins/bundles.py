"""The plugins' bundles inside the package: folders that hosts know by their names."""

from __future__ import annotations

import errno
import sys
from dataclasses import dataclass
from pathlib import Path

from pyvocsep._compiled import FOLDER
from pyvocsep.models import CORE_SUFFIX, model_path

MODELS = ("band-gru", "gru")
"""Those that the plugins offer: kModelNames of csrc/plugins/common/parameters.h."""


@dataclass(frozen=True)
class Format:
    """A plugin format, as far as its bundle goes."""

    name: str
    """As its makers write it."""
    bundle: str
    """Name of the bundle, which is a folder."""
    weights: str
    """Folder of the bundle for model files. (The bundle in the package has none: it uses the package's.)"""
    mark: str
    """A folder or file of the bundle that says it is one."""


VST3 = Format("VST3", "pyvocsep.vst3", weights="Contents/Resources", mark="Contents")
LV2 = Format("LV2", "pyvocsep.lv2", weights="weights", mark="manifest.ttl")
FORMATS = (VST3, LV2)


def bundle_path(plugin: Format) -> Path:
    """Return the bundle inside the package.

    Raises FileNotFoundError if this installation was built without it.
    """
    name = plugin.name.lower()
    path = FOLDER / f"{name}_plugin" / plugin.bundle
    if not path.is_dir():
        raise FileNotFoundError(
            errno.ENOENT,
            f"this pyvocsep was built without the {plugin.name} plugin; to build it, install the sources "
            f"with pip install . -C cmake.define.PYVOCSEP_{plugin.name}=ON",
            str(path),
        )
    return path


def weights(plugin: Format) -> dict[str, Path]:
    """Return what a bundle needs outside the package besides itself: path inside the bundle, and the file."""
    return {f"{plugin.weights}/{model}{CORE_SUFFIX}": model_path(model) for model in MODELS}


def library(plugin: Format) -> Path:
    """Return the path of the compiled library, relative to the bundle."""
    bundle = bundle_path(plugin)
    suffixes = {".so", ".dylib", ".dll", ".vst3", ""}
    files = (path for path in bundle.rglob("pyvocsep*") if path.is_file() and path.suffix in suffixes)
    return next(files).relative_to(bundle)


def user_folder(plugin: Format, platform: str = sys.platform, home: Path | None = None) -> Path:
    """Return the folder in which hosts look for a user's plugins of this format.

    As the formats' own documents name it for Linux ("linux"), macOS ("darwin") and Windows ("win32").
    """
    home = home or Path.home()
    if platform == "darwin":
        return home / "Library/Audio/Plug-Ins" / plugin.name
    if platform == "win32":
        return home / ("AppData/Local/Programs/Common/VST3" if plugin is VST3 else "AppData/Roaming/LV2")
    return home / f".{plugin.name.lower()}"
