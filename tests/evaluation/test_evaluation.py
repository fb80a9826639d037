"""Metrics against values worked out by hand, the protocols, and the command, on recordings made here."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

from pyvocsep.evaluation import metrics, protocols  # noqa: E402
from pyvocsep.evaluation.__main__ import main  # noqa: E402


@pytest.fixture
def data(tmp_path):
    """Two songs of half a second at 44.1 kHz, and four clips of a second at 16 kHz."""
    rng = np.random.default_rng(0)
    for song in ("A - One", "B - Two"):
        folder = tmp_path / "songs" / song
        folder.mkdir(parents=True)
        for stem, gain in (("vocals", 0.05), ("accompaniment", 0.1)):
            soundfile.write(folder / f"{stem}.wav", gain * rng.standard_normal((22_050, 2)), 44_100, "FLOAT")
    (tmp_path / "clips").mkdir()
    for i, clip in enumerate(("amy_1_01", "abjones_1_01", "bob_1_01", "eve_2_07")):
        audio = rng.standard_normal((16_000 + 4000 * i, 2)) * [0.02, 0.1]
        soundfile.write(tmp_path / "clips" / f"{clip}.wav", audio, 16_000, "FLOAT")
    return tmp_path


def test_usdr_by_hand():
    reference = np.array([[3.0, 4.0], [0.0, 0.0]])
    estimate = np.array([[3.0, 3.0], [0.0, 2.0]])  # energy 25, error 1 + 4
    assert metrics.usdr(reference, estimate) == pytest.approx(10 * math.log10(5))
    assert metrics.usdr(reference, np.zeros((2, 2))) == pytest.approx(0)
    assert metrics.usdr(reference, reference) == math.inf
    assert metrics.usdr(np.zeros((2, 2)), estimate) == -math.inf
    with pytest.raises(ValueError, match="differ in shape"):
        metrics.usdr(reference, estimate[:, :1])


def test_bss_eval_forgives_a_filter_and_names_interference():
    pytest.importorskip("mir_eval")
    rng = np.random.default_rng(1)
    stems = rng.standard_normal((2, 8000))
    filtered = np.stack([np.convolve(stem, [0.5, -0.3, 0.2])[:8000] for stem in stems])
    clean = metrics.bss_eval(stems, filtered)
    assert all(result.sdr > 40 for result in clean)
    # A tenth of the other stem: 20 dB of interference, no artifacts but those of chance.
    leaking = stems + 0.1 * stems[::-1]
    for result in metrics.bss_eval(stems, leaking):
        assert result.sir == pytest.approx(20, abs=1)
        assert result.sar > 40
    noisy = stems + 0.1 * rng.standard_normal(stems.shape)
    for result in metrics.bss_eval(stems, noisy):
        assert result.sar == pytest.approx(20, abs=1)
        assert result.sir > 25


def test_equal_energy():
    stem, reference = np.array([[1.0, 0.0]], np.float32), np.array([[3.0, 4.0]], np.float32)
    assert np.square(protocols.equal_energy(stem, reference)).sum() == pytest.approx(25)
    assert not protocols.equal_energy(0 * stem, reference).any()


def test_mean_is_weighted_by_length_where_asked():
    results = [protocols.Result("a", 1.0, {"x": 1.0}), protocols.Result("b", 3.0, {"x": 5.0})]
    assert protocols.mean(results, weighted=True) == {"x": 4.0}
    assert protocols.mean(results, weighted=False) == {"x": 3.0}
    with pytest.raises(ValueError, match="no recordings"):
        protocols.mean([], weighted=True)


def test_the_training_singers_are_not_in_the_test(data):
    assert [pair.name for pair in protocols.mir1k_test(data / "clips")] == ["bob_1_01", "eve_2_07"]
    assert [pair.name for pair in protocols.mir1k_test(data / "clips", every=2)] == ["bob_1_01"]


def test_songs_are_chosen_by_name(data):
    assert [pair.name for pair in protocols.musdb_songs(data / "songs")] == ["A - One", "B - Two"]
    assert [pair.name for pair in protocols.musdb_songs(data / "songs", ["B - Two"])] == ["B - Two"]
    with pytest.raises(ValueError, match="C - Three"):
        protocols.musdb_songs(data / "songs", ["C - Three"])


def test_musdb_measures_of_a_halved_mixture(data):
    """With half of the mixture as vocals, both errors are half the difference of the stems."""
    results = list(
        protocols.evaluate_musdb(protocols.musdb_songs(data / "songs"), lambda mixture, _: mixture / 2)
    )
    for result in results:
        vocals, _ = soundfile.read(data / "songs" / result.name / "vocals.wav")
        accompaniment, _ = soundfile.read(data / "songs" / result.name / "accompaniment.wav")
        error = np.sum((vocals - accompaniment) ** 2) / 4
        ratio = 10 * np.log10(np.sum(vocals**2) / np.sum(accompaniment**2))
        expected = [10 * np.log10(np.sum(stem**2) / error) for stem in (vocals, accompaniment)]
        assert list(result.measures.values()) == pytest.approx([*expected, ratio, -ratio], abs=1e-3)
        assert result.seconds == pytest.approx(0.5)


def test_mir1k_mixes_at_equal_energy_and_measures_the_gain(data):
    pytest.importorskip("mir_eval")
    mixtures = []

    def unprocessed(mixture, rate):
        mixtures.append(mixture)
        assert rate == 16_000
        return mixture

    pairs = protocols.mir1k_test(data / "clips", every=2)
    (result,) = protocols.evaluate_mir1k(pairs, unprocessed)
    vocals, _ = protocols.read(pairs[0].vocals)
    rest = mixtures[0] - vocals
    assert np.square(rest).sum() == pytest.approx(np.square(vocals).sum(), rel=1e-3)
    assert result.measures["vocals NSDR"] == pytest.approx(0, abs=1e-6)
    assert result.measures["vocals SIR"] == pytest.approx(0, abs=0.5)
    assert result.seconds == pytest.approx(1.5)

    def oracle(mixture, rate):
        return vocals

    (result,) = protocols.evaluate_mir1k(pairs, oracle)
    assert result.measures["vocals NSDR"] > 50
    assert result.measures["accompaniment NSDR"] > 50


def test_the_command_writes_a_table_and_a_line_per_song(data, model, capsys):
    path = data / "songs.csv"
    code = main(["musdb", "--data", str(data / "songs"), "--model", str(model), "--csv", str(path)])
    output = capsys.readouterr()
    assert code == 0, output.err
    assert "| model | recordings | vocals uSDR | accompaniment uSDR |" in output.out
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["A - One", "B - Two"]
    mean = np.mean([float(row["vocals uSDR"]) for row in rows])
    assert f"{mean:.2f}" in output.out
    songs = data / "songs.txt"
    songs.write_text("B - Two\n")
    assert main(["musdb", "--data", str(data / "songs"), "--model", str(model), "--songs", str(songs)]) == 0
    assert "| 1 |" in capsys.readouterr().out


def test_the_core_scores_as_pytorch_does(data, model, tmp_path):
    pytest.importorskip("torch")
    scores = {}
    for engine in ("core", "torch"):
        path = tmp_path / f"{engine}.csv"
        arguments = [
            "--data",
            str(data / "songs"),
            "--model",
            str(model),
            "--csv",
            str(path),
            "--engine",
            engine,
        ]
        assert main(["musdb", *arguments]) == 0
        with path.open() as file:
            scores[engine] = [
                float(value) for row in csv.DictReader(file) for key, value in row.items() if "uSDR" in key
            ]
    assert scores["core"] == pytest.approx(scores["torch"], abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["musdb", "--data", "nowhere"], "no folder nowhere"),
        (["musdb", "--data", "songs", "--model", "nonsense"], "unknown model 'nonsense'"),
        (["mir1k", "--data", "songs"], "no clips"),
    ],
)
def test_mistakes_are_told_in_a_line(data, model, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(data)
    if "--model" not in arguments:
        arguments = [*arguments, "--model", str(model)]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
