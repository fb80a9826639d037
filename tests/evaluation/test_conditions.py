"""Vocals where there are none, and input that is too loud or too soft, on recordings made here."""

from __future__ import annotations

import csv

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

from pyvocsep.evaluation import pictures, protocols, systems  # noqa: E402
from pyvocsep.evaluation.__main__ import main  # noqa: E402


@pytest.fixture
def data(tmp_path):
    """A song of half a second, and three pieces of music in two folders, one of which is long."""
    rng = np.random.default_rng(0)
    for stem, gain in (("vocals", 0.05), ("accompaniment", 0.1)):
        path = tmp_path / "songs" / "A - One" / f"{stem}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, gain * rng.standard_normal((22_050, 2)), 44_100, "FLOAT")
    for name, seconds in (("one/a", 1), ("one/b", 2), ("two/c", 62)):
        path = tmp_path / "music" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal((8000 * seconds, 2)), 8000, "FLOAT")
    return tmp_path


def scaled(gain):
    """A system that takes ``gain`` of the mixture for the vocals."""
    return lambda mixture: np.stack([gain * mixture.audio, (1 - gain) * mixture.audio])


def test_phantom_vocals_are_the_energy_of_what_is_not_there(data):
    pieces = protocols.instrumental_pieces(data / "music")
    assert [piece.name for piece in pieces] == ["one/a.wav", "one/b.wav", "two/c.wav"]
    tried = {"a tenth": scaled(np.float32(0.1)), "nothing": scaled(np.float32(0))}
    results = [protocols.score_phantom(piece, tried) for piece in pieces]
    for result in results:
        assert result["a tenth"].measures == {"phantom vocals": pytest.approx(-20, abs=1e-3)}
        assert result["nothing"].measures == {"phantom vocals": protocols.SILENT_DB}
    assert [result["nothing"].seconds for result in results] == [1, 2, protocols.PIECE_SECONDS]


def test_the_table_names_the_mean_the_median_and_the_worst():
    levels = (-50.0, -30.0, -10.0, -46.0)
    results = [protocols.Result(str(x), 1.0, {"phantom vocals": x}) for x in levels]
    assert protocols.summarise(results, protocols.BENCHMARKS["phantom"]) == {
        "mean phantom vocals": -34.0,
        "median phantom vocals": -38.0,
        "worst phantom vocals": -10.0,
    }


def test_silent_music_is_refused(data):
    soundfile.write(data / "music" / "one" / "a.wav", np.zeros((800, 2)), 8000)
    piece = protocols.instrumental_pieces(data / "music")[0]
    with pytest.raises(ValueError, match=r"a\.wav is silent"):
        protocols.score_phantom(piece, {"half": scaled(0.5)})


def test_the_level_benchmark_gives_every_gain_and_compares_at_that_gain(data):
    """A system that only works at full level is found out; one that does not hear the gain is not."""
    pair = protocols.musdb_songs(data / "songs")[0]
    seen = []

    def deaf_to_soft_input(mixture):
        seen.append(float(np.abs(mixture.audio).max()))
        return mixture.stems if seen[-1] > 0.2 else 0 * mixture.stems

    half = np.float32(0.5)
    results = protocols.score_level(pair, {"half": scaled(half), "deaf": deaf_to_soft_input})
    by_gain = [results["half"].measures[f"vocals uSDR at {gain:+d} dB"] for gain in protocols.GAINS_DB]
    assert np.ptp(by_gain) < 1e-3
    assert 20 * np.log10(np.array(seen) / seen[1]) == pytest.approx(protocols.GAINS_DB, abs=1e-3)
    deaf = results["deaf"].measures
    assert deaf["vocals uSDR at +12 dB"] == np.inf
    assert deaf["vocals uSDR at -60 dB"] == pytest.approx(0)
    summary = protocols.summarise([results["half"]], protocols.BENCHMARKS["level"])
    assert next(iter(summary)) == "mean vocals uSDR at +12 dB"
    assert len(summary) == len(protocols.GAINS_DB)


@pytest.mark.parametrize("which", ["phantom", "level"])
def test_the_command_writes_lines_table_and_plot(data, which, capsys):
    pytest.importorskip("matplotlib")
    folder, results = data / ("music" if which == "phantom" else "songs"), data / "results"
    arguments = [which, "--data", str(folder), "--model", systems.UNPROCESSED, "--output", str(results)]
    assert main(arguments) == 0
    table = capsys.readouterr().out
    with (results / which / "mixture.csv").open() as file:
        rows = list(csv.DictReader(file))
    if which == "phantom":
        assert "| mixture | 3 | 0.00 | 0.00 | 0.00 |" in table
        assert [row["phantom vocals"] for row in rows] == ["0.000"] * 3
    else:
        assert "| mixture | 1 | -6" in table
    assert (results / f"{which}.md").read_text() == table
    assert (results / f"{which}.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_of_songs(data, model, capsys, monkeypatch):
    """A tone that only the vocals have is bright in the mixture and in the true vocals, and nowhere else."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("PIL")
    pair = protocols.musdb_songs(data / "songs")[0]
    tone = 0.3 * np.sin(2 * np.pi * 3000 * np.arange(22_050) / 44_100)
    soundfile.write(pair.vocals.path, np.stack([tone, tone], 1), 44_100, "FLOAT")
    shown = {}
    draw = pictures._draw

    def spied(images, *arguments):
        shown.update(images)
        draw(images, *arguments)

    monkeypatch.setattr(pictures, "_draw", spied)
    folder = str(data / "songs")
    arguments = ["pictures", "--data", folder, "--model", str(model), "--output", str(data / "out")]
    assert main([*arguments, "--start", "0.1", "--seconds", "0.3"]) == 0
    assert (data / "out" / "A - One-0.1s.png").read_bytes().startswith(b"\x89PNG")
    tall = round(3000 * 2048 / 44_100)
    levels = {title: image[tall - 1 : tall + 2].mean() for title, image in shown.items()}
    assert list(levels) == [
        "mixture",
        "vocals, found",
        "vocals, true",
        "accompaniment, found",
        "accompaniment, true",
    ]
    assert min(levels["mixture"], levels["vocals, true"]) > levels["accompaniment, true"] + 20
    capsys.readouterr()
    assert main([*arguments, "--start", "0.3", "--seconds", "1"]) == 1
    assert "A - One has 0.5 s" in capsys.readouterr().err
