"""What a command is about: folders, patterns, lists, and what is there already."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep import cli

Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def album(tmp_path: Path, mixture) -> Path:
    """A folder with songs in sub-folders, and with what is none of them."""
    audio = mixture(9_000).T
    for name in ("b.wav", "a.flac", "cd1/a.wav", "cd1/deep/c.WAV"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, 44_100)
    (tmp_path / "album/cover.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "album/notes.txt").write_text("none")
    (tmp_path / "album/._b.wav").write_bytes(b"\0\x05\x16\x07")
    (tmp_path / "album/.trash").mkdir()
    soundfile.write(tmp_path / "album/.trash/old.wav", audio, 44_100)
    return tmp_path / "album"


@pytest.fixture
def run(model: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command for vocals; return its status and its lines on stdout and stderr."""

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        stem = () if any("--mix" in argument for argument in arguments) else ("--stem", "vocals")
        status = cli.main(["--model", str(model), *stem, *arguments])
        output = capsys.readouterr()
        return status, output.out.splitlines(), output.err.splitlines()

    return run


def files(folder: str | Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


STEMS = ["a.vocals.wav", "b.vocals.wav", "cd1/a.vocals.wav", "cd1/deep/c.vocals.wav"]


def test_a_folder_keeps_its_tree_under_the_output(album, run) -> None:
    status, out, err = run("album", "-o", "out")
    assert (status, err) == (0, [])
    assert files("out") == STEMS
    assert [line.split(": ")[0] for line in out[:4]] == [
        "album/a.flac",
        "album/b.wav",
        "album/cd1/a.wav",
        "album/cd1/deep/c.WAV",
    ]
    assert out[4].startswith("4 separated; 0:01 in ")
    assert len(out) == 5


def test_a_folder_without_an_output_gets_its_stems_beside_the_songs_and_none_of_stems(album, run) -> None:
    assert run("album", "-q") == (0, [], [])
    before = files(album)
    assert set(STEMS) < set(before)
    status, out, err = run("album/")
    assert (status, err) == (0, [])
    assert sum("skipped, a stem that pyvocsep wrote" in line for line in out) == 4
    assert out[-1].startswith("4 separated, 4 skipped; ")
    assert files(album) == before


def test_an_output_inside_of_the_folder_is_no_input(album, run) -> None:
    assert run("album", "-o", "album/stems", "-q")[0] == 0
    soundfile.write(album / "stems/stranger.wav", np.zeros(9_000), 44_100)
    assert run("album", "-o", "album/stems", "-q")[0] == 0
    assert files(album / "stems") == [*STEMS, "stranger.wav"]
    assert run("album/stems", "-o", "album/stems", "-q")[0] == 0  # given by itself, it is
    assert "stranger.vocals.wav" in files(album / "stems")


def test_stems_in_a_folder_are_none_of_its_songs_even_without_them(album, run) -> None:
    assert run("album", "-q")[0] == 0
    (album / "b.wav").unlink()
    assert run("album", "-q")[0] == 0
    assert not list(album.rglob("*.vocals.vocals.wav"))


def test_songs_that_differ_in_their_suffix(album, run, mixture) -> None:
    soundfile.write(album / "a.wav", mixture(9_000).T, 44_100)
    status, _, err = run("album", "-o", "out")
    assert status == 2
    assert err == [
        "pyvocsep: album/a.flac and album/a.wav would both become out/a.vocals.wav; "
        "--name '{name}.{ext}.{stem}' keeps apart what differs in its suffix"
    ]
    assert run("album", "-o", "out", "--name", "{name}.{ext}.{stem}", "-q")[0] == 0
    assert files("out")[:2] == ["a.flac.vocals.wav", "a.wav.vocals.wav"]


def test_folders_without_songs_and_unreadable_ones(tmp_path, album, run) -> None:
    (tmp_path / "empty").mkdir()
    status, out, err = run("empty", "album", "-o", "out")
    assert (status, err) == (1, ["pyvocsep: empty: no audio files in this folder"])
    assert out[-2].startswith("4 separated, 1 failed; ")
    assert out[-1] == "  failed: empty: no audio files in this folder"
    assert files("out") == STEMS


def test_patterns_that_no_shell_expanded(album, run) -> None:
    assert run("album/*.wav", "album/*/a.*", "-o", "out", "-q")[0] == 0
    assert files("out") == ["a.vocals.wav", "b.vocals.wav"]
    assert run("album/**/*.WAV", "-o", "deep", "-q")[0] == 0
    assert files("deep") == ["c.vocals.wav"]
    status, _, err = run("*.ogg", "album/b.wav", "-o", "new")
    assert (status, err) == (1, ["pyvocsep: *.ogg: no file matches this pattern"])
    assert files("new") == ["b.vocals.wav"]


def test_a_file_whose_name_is_a_pattern(tmp_path, run, mixture) -> None:
    soundfile.write(tmp_path / "song [live].wav", mixture(9_000).T, 44_100)
    soundfile.write(tmp_path / "song l.wav", mixture(9_000).T, 44_100)
    assert run("song [live].wav", "-o", "out", "-q")[0] == 0
    assert files("out") == ["song [live].vocals.wav"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_of_files(end, tmp_path, album, run) -> None:
    names = ["album/b.wav", "album/cd1/deep", "album/missing.wav"]
    (tmp_path / "list.txt").write_bytes("".join(name + end for name in names).encode())
    status, _, err = run("--files-from", "list.txt", "album/a.flac", "-o", "out")
    assert (status, err) == (1, ["pyvocsep: album/missing.wav: no such file"])
    assert files("out") == ["a.vocals.wav", "b.vocals.wav", "c.vocals.wav"]


def test_an_empty_list(tmp_path, run) -> None:
    (tmp_path / "list.txt").write_text("\n\n")
    status, _, err = run("--files-from", "list.txt")
    assert status == 2
    assert "FILE is missing" in err[0]
    status, _, err = run("--files-from", "none.txt")
    assert (status, err) == (2, ["pyvocsep: none.txt: no such file or directory"])


# What is there already


def mine(path: str) -> bytes:
    """A file that pyvocsep did not write."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("mine")
    return b"mine"


def test_existing_skip_does_what_is_missing(album, run) -> None:
    assert run("album/b.wav", "-o", "out", "-q")[0] == 0
    before = Path("out/b.vocals.wav").stat()
    mine("out/a.vocals.wav")
    status, out, err = run("album", "-o", "out", "--existing", "skip")
    assert (status, err) == (0, [])
    assert out[:2] == [
        "album/a.flac: skipped, its stems are there",
        "album/b.wav: skipped, its stems are there",
    ]
    assert out[-1].startswith("2 separated, 2 skipped; ")
    assert files("out") == STEMS
    assert Path("out/b.vocals.wav").stat().st_mtime_ns == before.st_mtime_ns
    assert Path("out/a.vocals.wav").read_text() == "mine"
    assert run("album", "-o", "out", "--existing", "skip", "-q") == (0, [], [])


def test_existing_skip_with_one_stem_of_two(album, model, capsys) -> None:
    command = ["--model", str(model), "album/b.wav", "-o", "out", "-q"]
    assert cli.main([*command, "--stem", "vocals"]) == 0
    assert cli.main([*command, "--existing", "skip"]) == 0
    assert files("out") == ["b.accompaniment.wav", "b.vocals.wav"]
    Path("out/b.accompaniment.wav").unlink()
    mine("out/b.vocals.wav")
    assert cli.main([*command, "--existing", "skip"]) == 1
    assert Path("out/b.vocals.wav").read_text() == "mine"
    assert "did not write it" in capsys.readouterr().err


def test_existing_replace_and_error(album, run) -> None:
    mine("out/b.vocals.wav")
    assert run("album/b.wav", "-o", "out", "-q")[0] == 1
    assert run("album/b.wav", "-o", "out", "-q", "--existing", "replace") == (0, [], [])
    assert soundfile.info("out/b.vocals.wav").frames == 9_000
    status, _, err = run("album/b.wav", "album/a.flac", "-o", "out", "-q", "--existing", "error")
    assert (status, err) == (1, ["pyvocsep: out/b.vocals.wav: exists, and is not to be replaced"])
    assert files("out") == ["a.vocals.wav", "b.vocals.wav"]


def test_replace_replaces_no_song_of_the_run(album, run, mixture) -> None:
    soundfile.write(album / "b.vocals.wav", mixture(100).T, 44_100)
    status, _, err = run("album", "--existing", "replace")
    assert status == 2
    assert err == ["pyvocsep: album/b.wav would become album/b.vocals.wav, which is an input too"]


def test_existing_of_process(album, model) -> None:
    arguments = {"model": model, "output_dir": "out", "stems": ["vocals"]}
    written = pyvocsep.process(album / "b.wav", **arguments)
    before = written["vocals"].stat().st_mtime_ns
    assert pyvocsep.process(album / "b.wav", **arguments, existing="skip") == written
    assert written["vocals"].stat().st_mtime_ns == before
    with pytest.raises(FileExistsError, match="not to be replaced"):
        pyvocsep.process(album / "b.wav", **arguments, existing="error")
    mine("out/b.vocals.wav")
    with pytest.raises(FileExistsError, match="did not write it"):
        pyvocsep.process(album / "b.wav", **arguments)
    pyvocsep.process(album / "b.wav", **arguments, existing="replace")
    assert soundfile.info("out/b.vocals.wav").frames == 9_000
    with pytest.raises(ValueError, match=r"'all'.*ours, skip, replace, error"):
        pyvocsep.process(album / "b.wav", **arguments, existing="all")


# The report


def lines_of(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_a_report_has_a_line_for_each_file(album, run, mixture) -> None:
    (album / "bad.wav").write_text("hello")
    soundfile.write(album / "cut.wav", mixture(30_000).T, 44_100)
    data = (album / "cut.wav").read_bytes()
    (album / "cut.wav").write_bytes(data[: len(data) // 2])
    assert run("album/b.wav", "-o", "out", "-q")[0] == 0
    status, _, _ = run("album", "-o", "out", "--existing", "skip", "--report", "report.jsonl", "--jobs", "2")
    assert status == 1
    found = {line.pop("file"): line for line in lines_of("report.jsonl")}
    assert {file: line["status"] for file, line in found.items()} == {
        "album/a.flac": "done",
        "album/b.wav": "skipped",
        "album/bad.wav": "failed",
        "album/cut.wav": "incomplete",
        "album/cd1/a.wav": "done",
        "album/cd1/deep/c.WAV": "done",
    }
    done = found["album/cd1/a.wav"]
    assert done["outputs"] == {"vocals": "out/cd1/a.vocals.wav"}
    assert done["audio_seconds"] == round(9_000 / 44_100, 3)
    assert done["elapsed_seconds"] > 0
    assert (done["reason"], done["warnings"]) == (None, [])
    assert found["album/bad.wav"]["reason"].startswith("album/bad.wav: not an audio file")
    assert found["album/b.wav"]["reason"] == "its stems are there"
    assert "cut short" in found["album/cut.wav"]["warnings"][0]


def test_a_report_replaces_a_report_and_nothing_else(album, run) -> None:
    for _ in range(2):
        assert run("album/b.wav", "-o", "out", "-q", "--report", "report.jsonl")[0] == 0
        assert len(lines_of("report.jsonl")) == 1
    song = (album / "a.flac").read_bytes()
    for name, reason in [
        ("album/a.flac", "it is no report"),
        ("album/b.wav", "is a song or a stem"),
        ("out/b.vocals.wav", "is a song or a stem"),
        ("album", "is a directory"),
        ("none/report", "no such file or directory"),
    ]:
        status, _, err = run("album/b.wav", "-o", "out", "--report", name)
        assert status == 2
        assert reason in err[0]
    assert (album / "a.flac").read_bytes() == song


def test_the_summary_repeats_why_files_failed(album, run) -> None:
    status, out, err = run("album/b.wav", "missing.wav", "-o", "out")
    assert (status, err) == (1, ["pyvocsep: missing.wav: no such file"])
    assert out[1].startswith("1 separated, 1 failed; ")
    assert out[2:] == ["  failed: missing.wav: no such file"]
    assert run("missing.wav", "-o", "out")[1] == []


# A mix


@pytest.mark.parametrize("level", ["-60", "-12", "0", "3.5", "-inf"])
def test_a_mix_is_what_the_effect_makes(level, album, run, model) -> None:
    how = [f"--mix={level}"] if level == "-inf" else ["--mix", level]
    assert run(*how, "album/b.wav", "-q") == (0, [], [])
    audio, rate = soundfile.read(album / "b.wav", dtype="float32")
    found, _ = soundfile.read(album / "b.mix.wav", dtype="float32")
    expected = pyvocsep.StemMixer(float(level), 0.0, model)(np.ascontiguousarray(audio.T), rate)
    np.testing.assert_array_equal(found.T, expected)


def test_a_mix_of_a_model_of_patches(album, tmp_path) -> None:
    pytest.importorskip("onnxruntime")
    from model_files import patch_model

    cnn = patch_model(tmp_path / "patches.onnx")
    stems = pyvocsep.process(album / "b.wav", model=cnn)
    written = pyvocsep.process(album / "b.wav", model=cnn, output_dir="out", mix_db=-6.0)
    found, _ = soundfile.read(written["mix"], dtype="float32")
    expected = np.float32(10 ** (-6 / 20)) * stems.vocals + stems.accompaniment
    np.testing.assert_array_equal(found.T, expected)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--mix=-12", "--stem", "vocals"], "leave --stem out"),
        (["--mix", "61"], "--mix is 61.0"),
        (["--mix", "nan"], "--mix is nan"),
        (["--format", "raw"], "goes with -o -"),
        (["--quality", "5"], "FLOAT has no quality"),
        (["--format", "mp3", "--quality", "11"], "quality is 11"),
        (["--format", "mp3", "--quality", "5", "--bitrate", "128"], "give one of them"),
        (["--format", "ogg", "--bitrate", "128"], "VORBIS takes a quality"),
        (["--raw", "44100"], "'44100' is not RATE,CHANNELS"),
    ],
)
def test_what_does_not_go_together(arguments, reason, album, run) -> None:
    before = files(album)
    status, out, err = run("album", *arguments)
    assert (status, out, len(err)) == (2, [], 1)
    assert reason in err[0]
    assert files(album) == before


def test_no_descriptor_is_left_open(album, run) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for arguments in (["album", "-o", "out", "-q"], ["album", "--mix", "99"], ["none.wav"]):
        run(*arguments, "--report", "report.jsonl")
    after = len(list(Path("/proc/self/fd").iterdir())) if before else 0
    assert after == before
    assert run("album", "--report", "-")[2] == [
        "pyvocsep: --report needs the path of a file; /dev/stdout is one"
    ]
