"""`pyvocsep-plugins`: bundles come, stay whole, and go; what is somebody else's stays."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from pyvocsep.models import model_path
from pyvocsep.plugins import bundles
from pyvocsep.plugins.__main__ import main
from pyvocsep.plugins.bundles import FORMATS, LV2, VST3, Format, bundle_path, library, user_folder
from pyvocsep.plugins.install import install, remove, state

try:
    for each in FORMATS:
        bundle_path(each)
except FileNotFoundError as error:
    pytest.skip(f"no plugin: {error.strerror}", allow_module_level=True)


@pytest.mark.parametrize("plugin", FORMATS, ids=lambda plugin: plugin.name)
def test_a_copy_is_complete_and_goes_without_a_trace(plugin: Format, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "plugins"
    assert state(plugin, folder) == "not installed"
    target = install(plugin, folder)
    assert target == folder / plugin.bundle
    assert (target / plugin.mark).exists()
    assert (target / library(plugin)).read_bytes() == (bundle_path(plugin) / library(plugin)).read_bytes()
    for model in bundles.MODELS:
        assert (target / plugin.weights / f"{model}.safetensors").read_bytes() == model_path(
            model
        ).read_bytes()
    assert state(plugin, folder) == "installed, that of this pyvocsep"
    assert [path.name for path in folder.iterdir()] == [plugin.bundle]
    assert remove(plugin, folder)
    assert not remove(plugin, folder)
    assert list(folder.iterdir()) == []


def test_an_earlier_version_is_replaced(tmp_path: Path) -> None:
    target = install(LV2, tmp_path)
    (target / library(LV2)).write_bytes(b"an older library")
    (target / "of-an-older-version.ttl").touch()
    assert state(LV2, tmp_path) == "installed, of another pyvocsep"
    install(LV2, tmp_path)
    assert state(LV2, tmp_path) == "installed, that of this pyvocsep"
    assert not (target / "of-an-older-version.ttl").exists()


def test_a_link_follows_the_package_and_goes_alone(tmp_path: Path) -> None:
    install(VST3, tmp_path)
    target = install(VST3, tmp_path, link=True)
    assert target.resolve() == bundle_path(VST3).resolve()
    assert state(VST3, tmp_path) == f"a link to {bundle_path(VST3)}"
    install(VST3, tmp_path)  # a copy in place of the link: the package's own bundle stays
    assert not target.is_symlink()
    install(VST3, tmp_path, link=True)
    assert remove(VST3, tmp_path)
    assert (bundle_path(VST3) / library(VST3)).is_file()
    target.symlink_to(tmp_path / "an environment that was deleted")
    assert "gone" in state(VST3, tmp_path)
    assert remove(VST3, tmp_path)


@pytest.mark.parametrize("action", [install, remove])
def test_what_is_not_ours_stays(action: object, tmp_path: Path) -> None:
    (tmp_path / LV2.bundle).mkdir()
    (tmp_path / LV2.bundle / "diary.txt").write_text("Dear diary")
    with pytest.raises(FileExistsError, match="no LV2 plugin"):
        action(LV2, tmp_path)  # type: ignore[operator]
    assert (tmp_path / LV2.bundle / "diary.txt").read_text() == "Dear diary"


def test_a_copy_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(LV2, tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OSError, match="No space left"):
        install(LV2, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [LV2.bundle]
    assert state(LV2, tmp_path) == "installed, that of this pyvocsep"


@pytest.mark.parametrize(
    ("plugin", "platform", "folder"),
    [
        (VST3, "linux", ".vst3"),
        (LV2, "linux", ".lv2"),
        (VST3, "darwin", "Library/Audio/Plug-Ins/VST3"),
        (LV2, "darwin", "Library/Audio/Plug-Ins/LV2"),
        (VST3, "win32", "AppData/Local/Programs/Common/VST3"),
        (LV2, "win32", "AppData/Roaming/LV2"),
    ],
)
def test_the_folders_where_hosts_look(plugin: Format, platform: str, folder: str) -> None:
    assert user_folder(plugin, platform, Path("home")) == Path("home") / folder


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    assert main(["install"]) == 0
    assert (tmp_path / ".lv2/pyvocsep.lv2/manifest.ttl").is_file()
    assert (tmp_path / ".vst3/pyvocsep.vst3/Contents").is_dir()
    capsys.readouterr()
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in listed] == ["VST3", "LV2"]
    assert all("that of this pyvocsep" in line for line in listed)
    assert main(["install", "--remove", "--format", "lv2"]) == 0
    assert not (tmp_path / ".lv2/pyvocsep.lv2").exists()
    assert (tmp_path / ".vst3/pyvocsep.vst3").exists()
    assert main(["install", "--list"]) == 0
    assert "LV2: " in capsys.readouterr().out
    assert main([]) == 2


def test_the_command_goes_on_after_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / VST3.bundle).write_text("not a folder even")
    assert main(["install", "--folder", str(tmp_path)]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("pyvocsep-plugins: VST3: no VST3 plugin, so it is left as it is")
    assert output.err.count("\n") == 1
    assert output.out.startswith("LV2: ")
    assert (tmp_path / LV2.bundle).is_dir()


def test_an_installation_without_a_plugin_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "FOLDER", tmp_path)
    assert main(["install", "--folder", str(tmp_path)]) == 1
    assert "PYVOCSEP_VST3=ON" in capsys.readouterr().err
    assert main(["--list", "--folder", str(tmp_path)]) == 0
    assert "not installed" in capsys.readouterr().out
