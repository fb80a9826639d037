"""Metrics against values worked out by hand, the protocols, and the command, on recordings made here."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

from pyvocsep import metrics  # noqa: E402
from pyvocsep.evaluation import protocols, systems  # noqa: E402
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


def test_bss_eval_v4_takes_the_median_of_the_seconds():
    rng = np.random.default_rng(2)
    stems = rng.standard_normal((2, 2, 24_000))
    noise = rng.standard_normal(stems.shape)
    levels = np.repeat([0.1, 0.01, 0.001], 8_000)  # 20, 40 and 60 dB, a second each
    assert metrics.bss_eval_v4(stems, stems + levels * noise, 8_000) == pytest.approx([40, 40], abs=0.5)


def test_equal_energy():
    stem, reference = np.array([[1.0, 0.0]], np.float32), np.array([[3.0, 4.0]], np.float32)
    assert np.square(protocols.equal_energy(stem, reference)).sum() == pytest.approx(25)
    assert not protocols.equal_energy(0 * stem, reference).any()


def test_sums_over_recordings_are_those_of_the_protocols():
    def results(measure, values):
        return [protocols.Result(str(i), seconds, {measure: v}) for i, (seconds, v) in enumerate(values)]

    mir1k, musdb = protocols.BENCHMARKS["mir1k"], protocols.BENCHMARKS["musdb"]
    values = [(1.0, 1.0), (3.0, 5.0), (1.0, 99.0)]
    assert protocols.summarise(results("vocals SIR", values[:2]), mir1k) == {"vocals GSIR": 4.0}
    assert protocols.summarise(results("vocals uSDR", values[:2]), musdb) == {"mean vocals uSDR": 3.0}
    assert protocols.summarise(results("vocals SDR", values), musdb) == {"median vocals SDR": 5.0}
    with pytest.raises(ValueError, match="no recordings"):
        protocols.summarise([], mir1k)


def test_the_training_singers_are_not_in_the_test(data):
    assert [pair.name for pair in protocols.mir1k_test(data / "clips")] == ["bob_1_01", "eve_2_07"]
    assert [pair.name for pair in protocols.mir1k_test(data / "clips", every=2)] == ["bob_1_01"]


def test_songs_are_chosen_by_name(data):
    assert [pair.name for pair in protocols.musdb_songs(data / "songs")] == ["A - One", "B - Two"]
    assert [pair.name for pair in protocols.musdb_songs(data / "songs", ["B - Two"])] == ["B - Two"]
    with pytest.raises(ValueError, match="C - Three"):
        protocols.musdb_songs(data / "songs", ["C - Three"])


def test_musdb_measures_of_a_halved_mixture(data):
    """With half of the mixture as both stems, both errors are half the difference of the stems."""
    for pair in protocols.musdb_songs(data / "songs"):
        result = protocols.score_musdb(pair, {"half": lambda mixture: np.stack([mixture.audio / 2] * 2)})[
            "half"
        ]
        vocals, _ = soundfile.read(pair.vocals.path)
        accompaniment, _ = soundfile.read(pair.accompaniment.path)
        error = np.sum((vocals - accompaniment) ** 2) / 4
        expected = [10 * np.log10(np.sum(stem**2) / error) for stem in (vocals, accompaniment)]
        assert [result.measures[f"{stem} uSDR"] for stem in protocols.STEMS] == pytest.approx(
            expected, abs=1e-3
        )
        assert [result.measures[f"{stem} SDR"] for stem in protocols.STEMS] == pytest.approx(
            expected, abs=0.1
        )
        assert result.seconds == pytest.approx(0.5)


def test_mir1k_mixes_at_equal_energy_and_measures_the_gain(data):
    pytest.importorskip("mir_eval")
    seen = []

    def perfect(mixture):
        seen.append(mixture)
        return mixture.stems

    pair = protocols.mir1k_test(data / "clips", every=2)[0]
    results = protocols.score_mir1k(pair, {"perfect": perfect, "mixture": systems.unprocessed})
    (mixture,) = seen
    assert mixture.sample_rate == 16_000
    assert np.square(mixture.accompaniment).sum() == pytest.approx(np.square(mixture.vocals).sum(), rel=1e-3)
    assert results["mixture"].measures["vocals NSDR"] == pytest.approx(0, abs=1e-6)
    assert results["mixture"].measures["vocals SIR"] == pytest.approx(0, abs=0.5)
    assert results["mixture"].seconds == pytest.approx(1.5)
    for stem in protocols.STEMS:
        assert results["perfect"].measures[f"{stem} NSDR"] > 50


@pytest.mark.parametrize(("rate", "frame"), [(16_000, 1024), (44_100, 2048)])
def test_the_ideal_ratio_mask_by_hand(rate, frame):
    """Two tones, far apart: the mask parts them; in one bin, it gives each its share of the amplitudes."""
    time = np.arange(rate) / rate
    low, high = (np.sin(2 * np.pi * k * rate / frame * time)[None].astype(np.float32) for k in (20, 200))
    apart = systems.Mixture(low, high, rate)
    estimate = systems.ideal_ratio_mask(apart)
    inner = slice(frame, -frame)
    np.testing.assert_allclose(estimate[..., inner], apart.stems[..., inner], atol=0.02)
    np.testing.assert_allclose(estimate.sum(0), apart.audio, atol=1e-5)
    together = systems.Mixture(low, 3 * low, rate)
    estimate = systems.ideal_ratio_mask(together)
    np.testing.assert_allclose(estimate[0][..., inner], low[..., inner], atol=0.02)


@pytest.mark.slow
def test_the_command_keeps_a_line_per_song_and_makes_a_table_of_all_systems(data, model, capsys):
    pytest.importorskip("matplotlib")
    results = data / "results"
    arguments = ["musdb", "--data", str(data / "songs"), "--output", str(results)]
    assert main([*arguments, "--model", str(model), "--jobs", "2"]) == 0
    capsys.readouterr()
    code = main([*arguments, "--model", systems.UNPROCESSED, "--model", systems.ORACLE])
    output = capsys.readouterr()
    assert code == 0, output.err
    assert (results / "musdb.md").read_text() == output.out
    lines = [line.split(" | ") for line in output.out.splitlines()]
    assert lines[0][:4] == ["| system", "recordings", "mean vocals uSDR", "mean accompaniment uSDR"]
    assert [line[0] for line in lines[2:]] == ["| mixture", "| band-gru", "| ideal-ratio-mask"]
    assert (results / "musdb.png").read_bytes().startswith(b"\x89PNG")
    with (results / "musdb" / "band-gru.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["A - One", "B - Two"]
    mean = np.mean([float(row["vocals uSDR"]) for row in rows])
    assert f"{mean:.2f}" == lines[3][2]
    assert main(["report", "--output", str(results)]) == 0
    assert output.out.strip() in capsys.readouterr().out


def test_results_of_other_recordings_are_not_compared(data, model, capsys):
    pytest.importorskip("matplotlib")
    songs = data / "songs.txt"
    songs.write_text("B - Two\n")
    arguments = ["musdb", "--data", str(data / "songs"), "--output", str(data / "results")]
    assert main([*arguments, "--model", "mixture"]) == 0
    assert main([*arguments, "--model", str(model), "--songs", str(songs)]) == 1
    assert "not of the same recordings" in capsys.readouterr().err


@pytest.mark.parametrize("which", ["band-gru", "gru"])
def test_the_core_scores_as_pytorch_does(data, models, which, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("mir_eval")
    tables = {}
    for engine in ("core", "torch"):
        folder = data / engine
        arguments = [
            "mir1k",
            "--data",
            str(data / "clips"),
            "--model",
            str(models[which]),
            "--engine",
            engine,
        ]
        assert main([*arguments, "--output", str(folder)]) == 0
        with (folder / "mir1k" / f"{which}.csv").open() as file:
            tables[engine] = [list(map(float, list(row.values())[1:])) for row in csv.DictReader(file)]
    np.testing.assert_allclose(tables["core"], tables["torch"], rtol=0, atol=0.01)


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
