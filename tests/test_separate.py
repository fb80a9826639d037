"""`process`: a whole recording, from a file or an array, to arrays or files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import pyvocsep


@pytest.fixture
def song(tmp_path: Path, mixture) -> Path:
    """Two and a half seconds of stereo, a length that is no multiple of anything."""
    path = tmp_path / "in" / "my.song.wav"
    path.parent.mkdir()
    soundfile.write(path, mixture(110_251).T, 44_100, "FLOAT")
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("architecture", ["band-gru", "band-gru that looks ahead", "gru"])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("shape", [(1,), (1, 1), (2, 1), (90,), (2, 12_345), (123_456,), (2, 0), (0,)])
def test_arrays_are_aligned_and_sum_to_the_input(architecture, rate, shape, models, mixture) -> None:
    audio = mixture(shape[-1], 2 if shape[0] == 2 else 1, rate)
    audio = audio.reshape(shape)
    stems = pyvocsep.process(audio, rate, model=models[architecture])
    assert stems.sample_rate == rate
    for stem in (stems.vocals, stems.accompaniment):
        assert stem.dtype == np.float32
        assert stem.shape == shape
    ulp = np.spacing(np.abs(audio).max(initial=np.float32(0)))
    assert np.abs(stems.vocals.astype(np.float64) + stems.accompaniment - audio).max(initial=0) <= ulp


def test_it_is_what_the_stream_gives(model, mixture) -> None:
    audio = mixture(100_000)
    separator = pyvocsep.Separator(32_000, 2, model)
    parts = [separator.process(audio), separator.flush()]
    stems = pyvocsep.process(audio, sample_rate=32_000, model=model, threads=2)
    for stem, whole in zip((stems.vocals, stems.accompaniment), zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(stem, np.concatenate(whole, axis=1)[:, separator.latency_samples :])


def test_a_float_rate_is_fine_for_an_array(model, mixture) -> None:
    assert pyvocsep.process(mixture(1000), 44_099.5, model=model).vocals.shape == (2, 1000)


def test_file_and_array_and_written_files_agree(song, tmp_path, model) -> None:
    audio, rate = soundfile.read(song, dtype="float32", always_2d=True)
    expected = pyvocsep.process(audio.T, rate, model=model)
    found = pyvocsep.process(song, model=model)
    written = pyvocsep.process(str(song), model=model, output_dir=tmp_path / "new" / "out")
    assert written == {
        stem: tmp_path / "new" / "out" / f"my.song.{stem}.wav" for stem in ("vocals", "accompaniment")
    }
    assert files_in(tmp_path / "new") == ["out/my.song.accompaniment.wav", "out/my.song.vocals.wav"]
    for stem, path in written.items():
        np.testing.assert_array_equal(getattr(expected, stem), getattr(found, stem))
        data, written_rate = soundfile.read(path, dtype="float32", always_2d=True)
        np.testing.assert_array_equal(data.T, getattr(expected, stem))
        assert written_rate == rate
        assert soundfile.info(path).subtype == "FLOAT"


def test_only_the_stems_asked_for_are_written(song, tmp_path, model) -> None:
    out = tmp_path / "out"
    assert list(pyvocsep.process(song, model=model, output_dir=out, stems=["vocals"])) == ["vocals"]
    assert files_in(out) == ["my.song.vocals.wav"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{stem}", ["accompaniment.wav", "vocals.wav"]),
        ("{name}/{stem}", ["my.song/accompaniment.wav", "my.song/vocals.wav"]),
        ("{name} ({stem})", ["my.song (accompaniment).wav", "my.song (vocals).wav"]),
    ],
)
def test_names(pattern, expected, song, tmp_path, model) -> None:
    pyvocsep.process(song, model=model, output_dir=tmp_path / "out", name_pattern=pattern)
    assert files_in(tmp_path / "out") == expected


@pytest.mark.parametrize("pattern", ["{name}", "{nome}.{stem}", "{stem", "{}.{stem}", "{stem.foo}"])
def test_bad_name_patterns(pattern, song, tmp_path, model) -> None:
    with pytest.raises(ValueError, match="the name pattern") as caught:
        pyvocsep.process(song, model=model, output_dir=tmp_path / "out", name_pattern=pattern)
    assert repr(pattern) in str(caught.value)
    assert files_in(tmp_path) == ["in/my.song.wav"]


def test_a_source_is_never_replaced(song, model) -> None:
    before = song.read_bytes()
    with pytest.raises(ValueError, match="would replace its source"):
        pyvocsep.process(song, model=model, output_dir=song.parent, stems=["vocals"], name_pattern="{name}")
    assert song.read_bytes() == before
    assert files_in(song.parent) == [song.name]


@pytest.mark.parametrize("samples", [0, 1, 44_100, 100_000])
def test_progress_runs_from_zero_to_the_length(samples, model, mixture) -> None:
    seen: list[tuple[float, float]] = []
    pyvocsep.process(mixture(samples), 44_100, model=model, progress=lambda *now: seen.append(now))
    done = [now for now, _ in seen]
    assert {total for _, total in seen} == {samples / 44_100}
    assert done[0] == 0
    assert done[-1] == samples / 44_100
    assert done == sorted(done)
    assert len(seen) >= 2 + samples // 44_100


class Stop(BaseException):
    """Not an Exception: as an interrupt, it passes all handlers of ordinary errors."""


def stop_after(calls: int, error: type[BaseException]) -> Callable[[float, float], None]:
    """Make a progress callback that raises in its call number `calls`."""
    count = 0

    def progress(done: float, total: float) -> None:
        nonlocal count
        count += 1
        if count == calls:
            raise error

    return progress


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, Stop])
@pytest.mark.parametrize("calls", [1, 2, 3, 5])
@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_an_exception_in_the_callback_cancels(format, calls, error, song, tmp_path, model) -> None:
    out = tmp_path / "out"
    arguments: dict[str, Any] = {"model": model, "output_dir": out, "format": format}
    with pytest.raises(error):
        pyvocsep.process(song, **arguments, progress=stop_after(calls, error))
    assert files_in(out) == []
    written = pyvocsep.process(song, **arguments)
    before = {path: path.read_bytes() for path in written.values()}
    with pytest.raises(error):
        pyvocsep.process(song, **arguments, progress=stop_after(calls, error))
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e16, 1e300])
def test_samples_that_are_no_numbers_are_silence_and_told(bad, model, mixture) -> None:
    audio = mixture(100_000).astype(np.float64)
    silenced = audio.copy()
    audio[1, 50_000], silenced[1, 50_000] = bad, 0
    audio[:, 70_000:70_002], silenced[:, 70_000:70_002] = bad, 0
    with pytest.warns(pyvocsep.AudioWarning, match=r"5 samples .* sample 50000 \(1\.134 s\)") as caught:
        stems = pyvocsep.process(audio, 44_100, model=model)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    expected = pyvocsep.process(silenced, 44_100, model=model)
    np.testing.assert_array_equal(stems.vocals, expected.vocals)
    np.testing.assert_array_equal(stems.accompaniment, expected.accompaniment)


def test_a_file_with_nan_is_separated_and_told(tmp_path, model, mixture) -> None:
    audio = mixture(60_000)
    audio[0, 10] = np.nan
    soundfile.write(tmp_path / "song.wav", audio.T, 44_100, "FLOAT")
    with pytest.warns(pyvocsep.AudioWarning, match=r"song\.wav: 1 samples .* sample 10 "):
        written = pyvocsep.process(tmp_path / "song.wav", model=model, output_dir=tmp_path)
    assert all(np.isfinite(soundfile.read(path)[0]).all() for path in written.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_rate": 44_100}, "a file tells its own"),
        ({"format": "flac"}, "output_dir"),
        ({"subtype": "PCM_16"}, "output_dir"),
        ({"stems": ["vocals"]}, "output_dir"),
        ({"name_pattern": "{stem}"}, "output_dir"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, message, song, model) -> None:
    with pytest.raises(TypeError, match=message):
        pyvocsep.process(song, model=model, **arguments)


def test_arguments_of_arrays(model, mixture, tmp_path) -> None:
    with pytest.raises(TypeError, match="needs its sample_rate"):
        pyvocsep.process(mixture(10), model=model)
    with pytest.raises(TypeError, match="needs a file"):
        pyvocsep.process(mixture(10), 44_100, model=model, output_dir=tmp_path)
    with pytest.raises(TypeError, match=r"int16.*32768"):
        pyvocsep.process(np.zeros((2, 0), np.int16), 44_100, model=model)
    with pytest.raises(ValueError, match=r"\(100, 2\).*pass its \.T"):
        pyvocsep.process(np.zeros((100, 2)), 44_100, model=model)
    with pytest.raises(ValueError, match=r"\(3, 100\)"):
        pyvocsep.process(np.zeros((3, 100)), 44_100, model=model)
    with pytest.raises(ValueError, match=r"shape \(\)"):
        pyvocsep.process(np.zeros(()), 44_100, model=model)
    with pytest.raises(ValueError, match="1000 Hz"):
        pyvocsep.process(np.zeros((2, 100)), 1000, model=model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stems": ["drums"]}, "drums.*vocals, accompaniment"),
        ({"stems": []}, "vocals, accompaniment"),
        ({"stems": "vocals"}, "vocals, accompaniment"),
        ({"format": "wma"}, "'wma'.*wav, flac, ogg, mp3, aiff"),
        ({"subtype": "PCM_12"}, "'PCM_12' for wav.*PCM_16"),
        ({"format": "flac", "subtype": "FLOAT"}, "'FLOAT' for flac"),
        ({"model": "nonsense"}, "nonsense"),
    ],
)
def test_wrong_choices_leave_no_file(arguments, message, song, tmp_path, model) -> None:
    with pytest.raises(ValueError, match=message):
        pyvocsep.process(song, **{"model": model, "output_dir": tmp_path / "out"} | arguments)
    assert files_in(tmp_path) == ["in/my.song.wav"]


def test_a_folder_that_cannot_be(song, model, tmp_path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for folder in [tmp_path / "file", tmp_path / "file" / "below"]:
        with pytest.raises(NotADirectoryError, match="file"):
            pyvocsep.process(song, model=model, output_dir=folder)
    (tmp_path / "out" / "my.song.vocals.wav").mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=r"my\.song\.vocals\.wav"):
        pyvocsep.process(song, model=model, output_dir=tmp_path / "out")
    with pytest.raises(OSError, match="too long"):
        pyvocsep.process(song, model=model, output_dir=tmp_path / "out", name_pattern="{stem}" * 50)
    assert files_in(tmp_path) == ["file", "in/my.song.wav"]
