"""Data sets, recipes and mixtures, on recordings made here."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
soundfile = pytest.importorskip("soundfile")

from pyvocsep import datasets  # noqa: E402
from pyvocsep.grid import Grid, analyse  # noqa: E402
from pyvocsep.training import augmentation  # noqa: E402
from pyvocsep.training.mixtures import Mixtures  # noqa: E402
from pyvocsep.training.recipe import Data, Mixing, find_recipe, load_recipe, shipped_recipes  # noqa: E402

GRID = Grid(8000, 256, 128)


@pytest.fixture
def data(tmp_path):
    """Two songs, six clips by three singers, one instrumental: noise, and 16 kHz beside 8 kHz."""
    rng = np.random.default_rng(0)

    def write(path, rate, channels):
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal((rate, channels)), rate)

    for song in ("A - One", "B - Two"):
        write(tmp_path / "songs" / song / "vocals.wav", 16_000, 2)
        write(tmp_path / "songs" / song / "accompaniment.wav", 16_000, 2)
    for clip in ("amy_1_01", "amy_2_01", "abjones_1_01", "abjones_1_02", "bob_1_01", "bob_2_01"):
        write(tmp_path / "clips" / "Wavfile" / f"{clip}.wav", 8000, 2)
    write(tmp_path / "music" / "package" / "tune.flac", 8000, 1)
    return tmp_path


def mixtures(data, channels=2, mixing=None, pairs=None):
    pairs = pairs or datasets.musdb(data / "songs") + datasets.mir1k(data / "clips")
    tracks = datasets.instrumentals(data / "music")
    decoder = datasets.Decoder(data / "decoded")
    return Mixtures(pairs, tracks, GRID, channels, 20, decoder, seed=1, mixing=mixing or Mixing())


def test_folders(data):
    songs, clips = datasets.musdb(data / "songs"), datasets.mir1k(data / "clips")
    assert [(song.name, song.artist, song.dry) for song in songs] == [
        ("A - One", "A", False),
        ("B - Two", "B", False),
    ]
    assert len(clips) == 6
    assert all(clip.dry and clip.vocals.channel == 1 and clip.accompaniment.channel == 0 for clip in clips)
    with pytest.raises(FileNotFoundError, match="no folder"):
        datasets.musdb(data / "nothing")
    with pytest.raises(FileNotFoundError, match="no song folders"):
        datasets.musdb(data / "music")


def test_only_the_named_singers_enter(data):
    clips = datasets.mir1k(data / "clips", ["amy", "abjones"])
    assert {clip.artist for clip in clips} == {"amy", "abjones"}
    assert len(clips) == 4


def test_the_gru_recipe_trains_on_its_two_singers_alone(data):
    recipe = load_recipe(find_recipe("gru"))
    assert recipe.data.singers == ("abjones", "amy")
    assert recipe.data.musdb is None
    assert recipe.data.instrumentals is None
    here = dataclasses.replace(recipe.data, mir1k="clips", held_out=("amy_2",), watched=("amy_2",))
    training = here.training_pairs(data)
    assert {pair.name for pair in training} == {"amy_1_01", "abjones_1_01", "abjones_1_02"}
    assert [pair.name for pair in here.watched_pairs(data)] == ["amy_2_01"]


ON_ALL_THEIR_CLIPS = {"band-gru-mir1k-files-more", "band-gru-mir1k-long"}  # the test's singers judge it


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_watch_only_what_they_hold_out(name):
    data = load_recipe(find_recipe(name)).data
    pairs = bool(data.musdb or data.mir1k)
    assert bool(data.held_out) == bool(data.watched) == (pairs and name not in ON_ALL_THEIR_CLIPS)
    assert set(data.watched) <= set(data.held_out)
    assert len(set(data.held_out)) == len(data.held_out)


def test_the_default_recipe_holds_songs_out_for_good():
    recipe = load_recipe(find_recipe("band-gru"))
    assert len(recipe.data.held_out) == 14
    assert len(recipe.data.watched) == 7
    assert recipe.data.instrumentals_held_out


def test_a_recipe_that_extends_none_that_ships_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_text('name = "mine"\nextends = "nothing"\n')
    with pytest.raises(ValueError, match=r"extends 'nothing'.*band-gru"):
        load_recipe(tmp_path / "mine.toml")


def test_what_is_held_out_is_not_trained_on(data):
    held = Data(musdb="songs", mir1k="clips", held_out=("A - One", "bob_1"), watched=("A - One",))
    training = {pair.name for pair in held.training_pairs(data)}
    assert training == {"B - Two", "amy_1_01", "amy_2_01", "abjones_1_01", "abjones_1_02", "bob_2_01"}
    with pytest.raises(ValueError, match="C - Three"):
        Data(musdb="songs", held_out=("C - Three",)).training_pairs(data)
    with pytest.raises(ValueError, match="held out, too"):
        Data(musdb="songs", watched=("A - One",)).training_pairs(data)


ON_THE_175_CLIPS = [name for name in shipped_recipes() if load_recipe(find_recipe(name)).data.singers]


def test_which_recipes_claim_the_protocol_of_mir1k():
    of_our_network = [f"band-gru-mir1k{end}" for end in ("", "-files", "-files-more", "-long", "-more")]
    assert [*of_our_network, "cnn", "gru"] == ON_THE_175_CLIPS


@pytest.mark.parametrize("name", ON_THE_175_CLIPS)
def test_no_singer_of_the_test_set_is_in_any_batch(name, tmp_path, monkeypatch):
    """Every file that examples are made of, in a folder with all 19 singers."""
    recipe = load_recipe(find_recipe(name))
    rng = np.random.default_rng(0)
    others = ["amy", "abjones", "Ani", "bobon", "bug", "davidson", "fdps", "geniusturtle", "heycat", "jmzen"]
    others += ["Kenshin", "khair", "leon", "stool", "tammy", "titon", "yifen", "annar", "ariel"]
    for singer in others:
        for song in range(1, 9):
            path = tmp_path / recipe.data.mir1k / "Wavfile" / f"{singer}_{song}_01.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.1 * rng.standard_normal((4000, 2)), 16_000)
    opened = []
    open_track = datasets.Decoder.open
    monkeypatch.setattr(
        datasets.Decoder, "open", lambda self, track: opened.append(track.path) or open_track(self, track)
    )
    examples = Mixtures(
        recipe.data.training_pairs(tmp_path),
        recipe.data.instrumental_tracks(tmp_path),
        GRID,
        1,
        8,
        datasets.Decoder(tmp_path / "decoded"),
        mixing=recipe.mixing,
    )
    for index in range(150):
        examples[index]
    assert {path.stem.split("_")[0] for path in opened} == {"amy", "abjones"}
    songs = {path.stem.rpartition("_")[0] for path in opened}
    assert not songs & set(recipe.data.held_out)
    assert len(songs) > 10, "too few files were opened to tell"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 'x'\n[model]\n", "lacks 'data'"),
        ("name = 'x'\n[model]\n[data]\ncolour = 1\n", "colour"),
        ("name = 'x'\n[model]\n[data]\n[extra]\n", "extra"),
        ("name = ", "not a recipe"),
    ],
)
def test_a_bad_recipe_is_told_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_recipe(path)


def test_silence_lies_at_one_end_of_both_stems(data):
    examples = mixtures(data, mixing=Mixing(silence=1.0, noise=0.0, pause=0.0))
    ends = set()
    for index in range(30):
        example = examples[index]
        silent = (example["vocals"] + example["accompaniment"]).abs().sum((1, 2)) == 0
        count = int(silent.sum())
        assert 1 <= count < 20
        assert silent[:count].all() or silent[-count:].all()
        ends.add(bool(silent[0]))
    assert ends == {True, False}


def test_a_file_is_decoded_once_and_read_in_parts(data):
    decoder = datasets.Decoder(data / "decoded")
    track = datasets.musdb(data / "songs")[0].vocals
    expected, rate = soundfile.read(track.path, dtype="float32", always_2d=True)
    samples, found_rate = decoder.open(track)
    assert (found_rate, samples.shape) == (rate, expected.shape)
    part = decoder.excerpt(track, -10, 30)
    assert np.all(part[:, :10] == 0)
    np.testing.assert_array_equal(part[:, 10:], expected[:20].T)
    assert len(list((data / "decoded").iterdir())) == 1
    again = datasets.Decoder(data / "decoded").open(track)
    assert np.array_equal(again[0], samples)


@pytest.mark.parametrize("channels", [1, 2])
def test_examples_are_finite_repeatable_and_differ(data, channels):
    first, second = mixtures(data, channels), mixtures(data, channels)
    for index in range(60):
        example = first[index]
        assert example["vocals"].shape == example["accompaniment"].shape == (20, GRID.bins, channels)
        assert example["visible"].shape == (20, GRID.bins)
        assert 0 < int(example["limit"]) <= GRID.bins
        assert all(
            bool(torch.isfinite(torch.view_as_real(example[k])).all()) for k in ("vocals", "accompaniment")
        )
        assert all(torch.equal(value, second[index][key]) for key, value in example.items())
    assert not torch.equal(first[0]["vocals"], first[1]["vocals"])


def test_a_recorded_pair_is_kept_as_it_was(data):
    """Without augmentation the two stems sum to the recording's own mixture, at one gain."""
    plain = {field.name: 0.0 for field in dataclasses.fields(Mixing)}
    mixing = Mixing(**{**plain, "recorded": 1.0, "level_db": -20.0})
    song = datasets.musdb(data / "songs")[:1]
    voice, backing, limit = mixtures(data, mixing=mixing, pairs=song).mix(np.random.default_rng(5))
    assert limit == GRID.bins
    decoder = datasets.Decoder(data / "decoded")
    samples = [decoder.open(track)[0].T for track in (song[0].vocals, song[0].accompaniment)]
    frame = GRID.frame_length(16_000)
    correlations = []
    for start in range(16_000 - frame - 19 * frame // 2 + 1):
        part = samples[0][:, start : start + frame].astype(np.float32)
        correlations.append(abs(np.vdot(analyse(part, frame, frame // 2)[:, 0, : GRID.bins], voice[:, 0])))
    start = int(np.argmax(correlations))
    length = frame + 19 * frame // 2
    for stem, whole in zip((voice, backing), samples, strict=True):
        original = analyse(whole[:, start : start + length].astype(np.float32), frame, frame // 2)[
            ..., : GRID.bins
        ]
        swapped = original[::-1]
        assert min(mismatch(stem, original), mismatch(stem, swapped)) < 1e-3
    assert 20 * np.log10(augmentation.level(voice + backing)) == pytest.approx(-20, abs=0.01)


def mismatch(stem, original):
    """Energy of what no single gain explains."""
    gain = np.vdot(original, stem) / np.vdot(original, original)
    return float(np.linalg.norm(stem - gain * original) / np.linalg.norm(stem))


def test_bins_beyond_a_narrow_source_do_not_count(data):
    """At a grid of 16 kHz, clips of 8 kHz say nothing above 3.8 kHz, and no voice shows where they end."""
    wide = Grid(16_000, 512, 256)
    clips = datasets.mir1k(data / "clips")
    narrow = Mixtures(clips, [], wide, 2, 10, datasets.Decoder(data / "decoded"), 0, Mixing(resampled=0))
    for index in range(10):
        example = narrow[index]
        assert int(example["limit"]) == int(129 * 0.95)
        assert not example["vocals"][:, 129:].any()


def test_level_is_the_root_mean_square():
    audio = np.random.default_rng(0).standard_normal((2, 256 * 40)).astype(np.float32)
    spectra = analyse(0.1 * audio, 256, 128) * np.float32(2 / 256)
    assert augmentation.level(spectra) == pytest.approx(0.1, rel=0.02)


def random_spectra(seed=0):
    rng = np.random.default_rng(seed)
    shape = (2, 30, GRID.bins)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


def test_balance_sets_the_level_difference():
    stem, other = random_spectra(1) * 7, random_spectra(2)
    augmentation.balance(stem, other, -6)
    assert 20 * np.log10(augmentation.level(stem) / augmentation.level(other)) == pytest.approx(-6, abs=1e-3)
    silence = np.zeros_like(other)
    augmentation.balance(silence, other, 0)
    assert not silence.any()


EFFECTS = {
    "equalise": lambda s, rng: augmentation.equalise(s, rng, augmentation.DESK_TILT),
    "formants": lambda s, rng: augmentation.shift_formants(s, 1.2, GRID.bin_hz),
    "compress": lambda s, rng: augmentation.compress(s, 0.5),
    "pan": lambda s, rng: augmentation.pan(s, -0.4),
    "double": lambda s, rng: augmentation.double(s, rng),
    "reverberate": lambda s, rng: augmentation.reverberate(s, rng, GRID),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_change_a_voice_within_reason_and_leave_silence_alone(name):
    spectra, original, silence = (
        random_spectra(),
        random_spectra(),
        np.zeros((2, 30, GRID.bins), np.complex64),
    )
    EFFECTS[name](spectra, np.random.default_rng(1))
    EFFECTS[name](silence, np.random.default_rng(1))
    assert not np.array_equal(spectra, original)
    assert np.isfinite(spectra).all()
    assert 0.1 < np.linalg.norm(spectra) / np.linalg.norm(original) < 10
    assert not silence.any()


@pytest.mark.parametrize("finer", [1, 2, 4])
def test_formants_move_and_the_fine_structure_stays(finer):
    """However fine the bins are."""
    bins = np.arange(GRID.bins * finer) / finer
    harmonics = 1.0 * (bins % 6 == 0) + 0.01
    envelope = np.exp(-(((bins - 50) / 20) ** 2)) + 1e-3
    spectra = np.tile((harmonics * envelope).astype(np.complex64), (2, 4, 1))
    before = np.abs(spectra[0, 0])
    augmentation.shift_formants(spectra, 1.2, GRID.bin_hz / finer)
    after = np.abs(spectra[0, 0])
    peaks, gaps = after[6 * finer : 120 * finer : 6 * finer], after[9 * finer : 123 * finer : 6 * finer]
    assert np.all(peaks > 10 * gaps)
    centre_before, centre_after = (float(np.average(bins, weights=m)) for m in (before, after))
    assert 1.1 < centre_after / centre_before < 1.3


def test_an_equaliser_tilts_by_decibels_per_octave():
    def tilt(seed, deviation):
        spectra = np.ones((1, 1, GRID.bins), np.complex64)
        augmentation.equalise(spectra, np.random.default_rng(seed), deviation)
        level = 20 * np.log10(np.abs(spectra[0, 0]))
        assert np.all(np.abs(level) <= 15 + 4 * max(deviation - 0.8, 0) + 1e-3)
        octaves = np.log2(np.arange(GRID.bins) + 1.0)
        return np.polyfit(octaves[GRID.bins // 16 :], level[GRID.bins // 16 :], 1)[0]

    gentle, steep = (np.std([tilt(seed, deviation) for seed in range(60)]) for deviation in (0.8, 3.2))
    assert steep > 2 * gentle


def test_reverberation_rings_after_the_voice_and_never_before():
    spectra = np.zeros((2, 30, GRID.bins), np.complex64)
    spectra[:, 10] = 1
    augmentation.reverberate(spectra, np.random.default_rng(0), GRID)
    energy = np.linalg.norm(spectra, axis=(0, 2))
    assert not energy[:10].any()
    assert np.all(np.diff(energy[11:]) < 0)


def test_noise_has_the_level_asked_for():
    silence = np.zeros((2, 30, GRID.bins), np.complex64)
    augmentation.add_noise(silence, np.random.default_rng(0), -90)
    assert 20 * np.log10(augmentation.level(silence)) == pytest.approx(-90, abs=0.2)


def test_hidden_parts_are_zero_and_not_everything():
    for seed in range(20):
        visible = np.ones((30, GRID.bins), np.float32)
        augmentation.hide(visible, np.random.default_rng(seed))
        assert 0 < visible.mean() < 1
