"""Phrases from single notes: where they lie, what they cost in truth, and whose they are."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")
soundfile = pytest.importorskip("soundfile")

from pyvocsep.datasets import Clip, Decoder, Track, instrumentals, musdb, voices  # noqa: E402
from pyvocsep.grid import Grid  # noqa: E402
from pyvocsep.training.mixtures import Mixtures  # noqa: E402
from pyvocsep.training.phrases import LARGEST_MOVE, Melody, Note, Phrases, choose  # noqa: E402
from pyvocsep.training.recipe import Data, Mixing, find_recipe, load_recipe  # noqa: E402

GRID = Grid(16_000, 1024, 512)
RATE = 24_000
HEAD = ["file", "start_s", "end_s", "singer", "f0_hz", "licence", "repo", "path"]


def tone(f0, seconds):
    time = np.arange(int(seconds * RATE)) / RATE
    return sum(0.1 * np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 6))


@pytest.fixture
def folder(tmp_path):
    """Two singers of notes, one of phrases, whose clips lie one after another in packs."""
    clips = [
        ("sol", 220.0, 3.0, "GPL-3.0"),
        ("sol", 330.0, 3.0, "GPL-3.0"),
        ("sol", 440.0, 2.0, "GPL-3.0"),
        ("mi", 150.0, 0.5, "CC-BY-4.0"),
        ("mi", 0.0, 1.0, "CC-BY-4.0"),
        ("ravdessActor_01", 200.0, 1.5, "CC-BY-NC-SA-4.0"),
    ]
    home = tmp_path / "voices"
    home.mkdir()
    audio, at = [], 0.0
    with (home / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for singer, f0, seconds, licence in clips:
            writer.writerow(["pack.wav", at, at + seconds, singer, f0, licence, "a/b", "c.wav"])
            audio.append(tone(f0 or 97.0, seconds))
            at += seconds
    soundfile.write(home / "pack.wav", np.concatenate(audio), RATE, "FLOAT")
    return home


def phrases(folder, frames=120, licences="any", names=None):
    singers = [s for s in voices(folder, licences) if names is None or s.name in names]
    return Phrases(singers, GRID, frames, Decoder(folder.parent / "decoded"))


def test_the_index_says_whose_clips_there_are_and_on_what_terms(folder):
    everyone = voices(folder)
    assert [singer.name for singer in everyone] == ["mi", "ravdessActor_01", "sol"]
    assert [clip.f0 for clip in everyone[2].clips] == [220, 330, 440]
    assert [clip.phrase for singer in everyone for clip in singer.clips] == [False, False, True] + 3 * [False]
    assert [singer.name for singer in voices(folder, "open")] == ["mi"]
    assert [
        singer.name for singer in Data(voices="voices", voices_licences="open").solo_voices(folder.parent)
    ] == ["mi"]
    with pytest.raises(ValueError, match="voices_licences is 'free'"):
        voices(folder, "free")
    lines = (folder / "index.csv").read_text().splitlines()
    (folder / "index.csv").write_text("\n".join([lines[0], *(x for x in lines[1:] if "GPL" in x)]))
    with pytest.raises(ValueError, match="no clip under open terms"):
        voices(folder, "open")


def test_without_an_index_each_subfolder_is_a_singer_of_phrases(folder, tmp_path):
    dry = tmp_path / "dry"
    for name, seconds in (("fa/one.flac", 1.0), ("fa/two.wav", 2.5), ("mi/three.wav", 0.5)):
        (dry / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(dry / name, tone(220.0, seconds), RATE)
    (dry / "fa" / "LICENSE.txt").write_text("CC0")
    (dry / "nobody").mkdir()
    fa, mi = voices(dry)
    assert (fa.name, mi.name) == ("fa", "mi")
    assert [(clip.path.name, clip.start, clip.end) for clip in fa.clips] == [
        ("one.flac", 0, 1),
        ("two.wav", 0, 2.5),
    ]
    assert all(clip.phrase for clip in (*fa.clips, *mi.clips))
    assert np.abs(phrases(dry).sing(np.random.default_rng(0), 0.0, 1.0)[0]).max() > 0
    both = Data(voices=("voices", "dry")).solo_voices(tmp_path)
    assert [singer.name for singer in both] == ["mi", "ravdessActor_01", "sol", "fa", "mi"]
    assert Data(voices="dry").solo_voices(tmp_path) == [fa, mi]


def test_a_folder_without_singers_or_terms_is_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere; give .* with --data"):
        voices(tmp_path / "nowhere")
    (folder / "index.csv").unlink()  # leaves packs of clips alone
    with pytest.raises(FileNotFoundError, match=r"no index\.csv and no folders of phrases by singer in"):
        voices(folder)
    with pytest.raises(FileNotFoundError, match=r"no .*index\.csv; it says under which terms"):
        voices(folder, "open")


def test_a_file_that_is_no_audio_is_named(tmp_path):
    broken = tmp_path / "dry" / "fa" / "one.wav"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"")
    with pytest.raises(ValueError, match=r"one\.wav cannot be read: Format not recognised"):
        voices(tmp_path / "dry")
    with pytest.raises(ValueError, match=r"one\.wav cannot be read: Format not recognised"):
        Decoder(tmp_path / "decoded").open(Track(broken))


def test_a_phrase_is_a_function_of_its_seed(folder):
    one, other = phrases(folder), phrases(folder)
    made = [one.sing(np.random.default_rng(seed), 0.5, 1.0) for seed in range(12)]
    for seed, (spectra, limit) in enumerate(made):
        again, same = other.sing(np.random.default_rng(seed), 0.5, 1.0)
        assert np.array_equal(again, spectra)
        assert same == limit
        assert spectra.shape == (1, 120, GRID.bins)
        assert np.isfinite(spectra).all()
        assert 0 < limit <= GRID.bins
    assert all(not np.array_equal(a[0], b[0]) for a, b in itertools.pairwise(made))
    assert all(np.abs(spectra).max() > 0.01 for spectra, _ in made)


def found_pitch(frame):
    """Of a frame's spectrum, in Hz: the peak, refined by a parabola through logarithms."""
    magnitude = np.log(np.abs(frame) + 1e-9)
    k = int(np.argmax(magnitude[2:-2])) + 2
    low, middle, high = magnitude[k - 1 : k + 2]
    return (k + 0.5 * (low - high) / (low - 2 * middle + high)) * GRID.sample_rate / GRID.n_fft


def test_pieces_land_on_their_notes(folder):
    """A tone's fundamental lies on the note within what frame lengths resolve, 43 cents, and a few of peak
    picking.
    """
    maker = phrases(folder, names=["sol"])
    singer = maker.singers[0]
    for seed, (degree, scale) in enumerate(
        itertools.product((-1, 0, 1, 3), ((0, 2, 4, 5, 7, 9, 11), (0, 3, 7)))
    ):
        melody = Melody([Note(0, 40, degree)], scale, 260.0)
        spectra = np.zeros((1, 120, GRID.bins), np.complex64)
        maker._perform(np.random.default_rng(seed), spectra, singer, melody, 0)
        assert not spectra[:, 40:].any()
        wanted = melody.pitch(degree)
        cents = [1200 * np.log2(found_pitch(spectra[0, t]) / wanted) for t in range(40)]
        # Vibrato, if there is any, swings about the note.
        assert abs(np.median(cents)) < 50
        assert np.abs(cents).max() < 110


def test_moves_are_small_and_clips_without_a_pitch_stay(folder):
    singers = {singer.name: singer for singer in voices(folder)}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        pitch = float(np.exp(rng.uniform(np.log(80), np.log(1500))))
        clip, ratio = choose(rng, singers["sol"].clips, pitch)
        assert abs(12 * np.log2(ratio)) <= LARGEST_MOVE + 1e-9
        nearest = min(abs(np.log2(pitch / other.f0)) for other in singers["sol"].clips)
        if nearest * 12 <= LARGEST_MOVE:
            assert clip.f0 * ratio == pytest.approx(pitch)
        else:
            assert abs(np.log2(pitch / clip.f0)) == pytest.approx(nearest)
    unclear = [choose(np.random.default_rng(seed), singers["mi"].clips, 160.0) for seed in range(40)]
    assert {(clip.f0, ratio == 1.0) for clip, ratio in unclear} == {(0.0, True), (150.0, False)}


def test_silence_is_kept_where_a_clip_ends_early(folder):
    maker = phrases(folder)
    spectra = np.zeros((1, 60, GRID.bins), np.complex64)
    clip = Clip(folder / "pack.wav", 8.0, 8.5, 150.0, False)
    maker._render(spectra, clip, 0.7, np.full(60, 1.1))
    sounding = np.abs(spectra[0]).sum(1) > 0
    count = int(sounding.sum())
    assert sounding[:count].all()
    assert not sounding[count:].any()
    frame = GRID.frame_length(RATE * 1.1)
    assert count == 1 + (int(0.5 * RATE) - frame) // (frame // 2)


def test_phrases_are_recited_as_they_are(folder):
    maker = phrases(folder, names=["ravdessActor_01"])
    spectra, _ = maker.sing(np.random.default_rng(3), 0.0, 1.0)
    pitches = [found_pitch(frame) for frame in spectra[0] if np.abs(frame).sum() > 0]
    np.testing.assert_allclose(pitches, 200, rtol=0.01)
    assert (np.abs(spectra[0]).sum(1) == 0).any()


def test_frame_lengths_are_near():
    grid = Grid(44_100, 2048, 1024)
    rates = np.geomspace(32_000, 192_000, 999)
    wanted = 2048 * rates / 44_100
    assert (
        max(abs(grid.frame_length(rate) / length - 1) for rate, length in zip(rates, wanted, strict=True))
        < 0.026
    )


def test_half_of_the_voices_that_are_not_as_recorded_are_phrases(folder, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("vocals", "accompaniment"):
        path = tmp_path / "songs" / "A - One" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal((RATE, 2)), RATE)
    opened = []
    open_track = Decoder.open
    monkeypatch.setattr(Decoder, "open", lambda self, track: opened.append(track) or open_track(self, track))
    decoder = Decoder(tmp_path / "decoded")
    mixing = Mixing(recorded=0.5, phrases=0.5, second_voice=0.0)
    pairs, singers = musdb(tmp_path / "songs"), voices(folder)
    examples = Mixtures(pairs, [], GRID, 2, 40, decoder, 0, mixing, singers)
    count = 0
    for index in range(200):
        opened.clear()
        example = examples[index]
        count += Track(folder / "pack.wav") in opened
        assert torch.isfinite(torch.view_as_real(example["vocals"])).all()
    assert 30 < count < 70


def test_solo_voices_and_instrumental_music_are_enough(folder, tmp_path):
    """Open weights: no recording with vocals, so each voice is a phrase, each backing an instrumental."""
    rng = np.random.default_rng(0)
    music = tmp_path / "music" / "package" / "tune.wav"
    music.parent.mkdir(parents=True)
    soundfile.write(music, 0.1 * rng.standard_normal((3 * RATE, 2)), RATE)
    decoder, singers, tracks = (
        Decoder(tmp_path / "decoded"),
        voices(folder),
        instrumentals(tmp_path / "music"),
    )
    mixing = Mixing(recorded=1.0, phrases=0.0, instrumentals=0.0)  # nothing else is there to be chosen
    examples = Mixtures([], tracks, GRID, 2, 40, decoder, 0, mixing, singers)
    both = 0
    for index in range(40):
        powers = [examples[index][stem].abs().square().sum().item() for stem in ("vocals", "accompaniment")]
        assert np.isfinite(powers).all()
        both += min(powers) > 0
    assert both > 20
    with pytest.raises(ValueError, match="no voices to mix"):
        Mixtures([], tracks, GRID, 2, 40, decoder)
    with pytest.raises(ValueError, match="nothing to mix solo voices with"):
        Mixtures([], [], GRID, 2, 40, decoder, singers=singers)


def test_the_recipe_of_open_weights_takes_nothing_else(folder, tmp_path):
    data = load_recipe(find_recipe("band-gru-open")).data
    assert data.pairs(tmp_path) == []
    assert data.voices_licences == "open"
    assert [singer.name for singer in data.solo_voices(tmp_path)] == ["mi"]


def test_a_part_of_long_music_and_nothing_held_out(tmp_path):
    for package in ("one", "two"):
        (tmp_path / package / "music").mkdir(parents=True)
        audio = np.arange(RATE * 3) / (RATE * 4)
        soundfile.write(tmp_path / package / "music" / "tune.wav", audio, RATE, "FLOAT")
    (track,) = instrumentals(tmp_path, 1.0, without=["two"])
    assert track.path.relative_to(tmp_path).parts[0] == "one"
    decoder = Decoder(tmp_path / "decoded")
    for attempt in (decoder, Decoder(tmp_path / "decoded")):
        samples, rate = attempt.open(track)
        assert (rate, len(samples)) == (RATE, RATE)
        assert samples[0, 0] == pytest.approx(1 / 4)
    assert len(decoder.open(Track(track.path))[0]) == 3 * RATE
    data = Data(instrumentals="", instrumentals_held_out=("one", "two"))
    assert data.instrumental_tracks(tmp_path) == []
