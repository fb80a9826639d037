"""The loss and the loop, on a network small enough for seconds."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
soundfile = pytest.importorskip("soundfile")

from pyvocsep.datasets import Decoder  # noqa: E402
from pyvocsep.training import loop  # noqa: E402
from pyvocsep.training.__main__ import main  # noqa: E402
from pyvocsep.training.architectures import build  # noqa: E402
from pyvocsep.training.export import load_model, save_model  # noqa: E402
from pyvocsep.training.loss import separation_loss  # noqa: E402
from pyvocsep.training.recipe import load_recipe  # noqa: E402

RECIPE = """
name = "tiny"
[model]
architecture = "band-gru"
sample_rate = 8000
n_fft = 256
hop = 128
dim = 32
blocks = 1
zones = [[4, 8], [3, 33]]
dropout = 0.1
[data]
musdb = "songs"
held_out = ["C - Three"]
watched = ["C - Three"]
[training]
steps = 4
batch = 2
frames = 12
score_every = 2
warmup = 2
"""


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    time = np.arange(8000) / 8000
    for i, song in enumerate(("A - One", "B - Two", "C - Three")):
        folder = tmp_path / "data" / "songs" / song
        folder.mkdir(parents=True)
        voice = 0.3 * np.sin(2 * np.pi * (300 + 40 * i) * time) * (time % 0.5 < 0.3)
        soundfile.write(folder / "vocals.wav", np.stack([voice, voice], 1), 8000)
        soundfile.write(folder / "accompaniment.wav", 0.1 * rng.standard_normal((8000, 2)), 8000)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


@pytest.fixture(autouse=True)
def settings_of_torch():
    """The command chooses threads and precision for its process; other tests want their own."""
    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    yield
    torch.set_float32_matmul_precision(precision)
    torch.set_num_threads(threads)


def random_stems(seed=0, batch=2, channels=2):
    torch.manual_seed(seed)
    shape = (batch, 5, 9, channels)
    return (
        torch.randn(shape, dtype=torch.complex64),
        torch.randn(shape, dtype=torch.complex64),
        torch.rand(shape),
    )


def test_loss_is_what_it_says():
    vocals, accompaniment, masks = random_stems(batch=1)
    limit = 7
    v, a = (t[:, :, :limit].to(torch.complex128) for t in (vocals, accompaniment))
    m, x = masks[:, :, :limit].double(), v + a
    floor = (x.abs() ** 2).sum() * 10**-3.5 + 1e-9
    energy = torch.log((((m * x - v).abs() ** 2).sum() + floor) / ((v.abs() ** 2).sum() + floor))
    wrong = ((m * x).abs() ** 0.3 - v.abs() ** 0.3).abs().sum()
    wrong += (((1 - m) * x).abs() ** 0.3 - a.abs() ** 0.3).abs().sum()
    expected = energy + wrong / ((x.abs() ** 0.3).sum() + 1e-3)
    found = separation_loss(masks, vocals, accompaniment, torch.tensor([limit]))
    assert float(found) == pytest.approx(float(expected), abs=2e-4)


def test_gradient_of_the_loss_is_its_slope():
    vocals, accompaniment, masks = random_stems()
    vocals, accompaniment, masks = (
        vocals.to(torch.complex128), accompaniment.to(torch.complex128), masks.double().requires_grad_()
    )  # fmt: skip
    limit = torch.tensor([9, 6])
    assert torch.autograd.gradcheck(
        lambda m: separation_loss(m * 0.98 + 0.01, vocals, accompaniment, limit), masks, atol=1e-6
    )


@pytest.mark.parametrize("mask", [0.0, 1.0])
def test_loss_and_gradient_are_finite_at_the_ends_and_in_silence(mask):
    vocals, accompaniment, _ = random_stems()
    vocals[0] = 0
    vocals[1] = accompaniment[1] = 0
    masks = torch.full(vocals.shape, mask, requires_grad=True)
    loss = separation_loss(masks, vocals, accompaniment, torch.tensor([9, 9]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(masks.grad).all()


def test_bins_beyond_the_limit_do_not_count():
    vocals, accompaniment, masks = random_stems()
    limit = torch.tensor([4, 6])
    before = separation_loss(masks, vocals, accompaniment, limit)
    masks[0, :, 4:] = vocals[0, :, 4:] = 0
    masks[1, :, 6:] = accompaniment[1, :, 6:] = 0
    assert float(separation_loss(masks, vocals, accompaniment, limit)) == pytest.approx(
        float(before), abs=1e-6
    )


def test_learning_rate_rises_then_falls_to_nothing(data):
    schedule = dataclasses.replace(
        load_recipe(data / "tiny.toml").training, steps=1000, warmup=100, learning_rate=1.0
    )
    rates = [loop.learning_rate(schedule, step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert int(np.argmax(rates)) in range(98, 102)
    assert np.all(np.diff(rates[101:]) < 0)
    assert rates[-1] < 1e-4


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.parametrize("architecture", ["band-gru", "cnn"])
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(data, optimiser, architecture):
    recipe = load_recipe(data / "tiny.toml")
    training = dataclasses.replace(recipe.training, optimiser=optimiser)
    model = recipe.model
    if architecture == "cnn":
        if optimiser == "muon":
            pytest.skip("a cnn has no matrices for muon")
        grid = ("sample_rate", "n_fft", "hop", "dropout")
        model = {"architecture": "cnn", "widths": [4, 8], **{key: model[key] for key in grid}}
    recipe = dataclasses.replace(recipe, training=training, model=model)
    whole = loop.train(recipe, data / "data", data / "whole")
    first = loop.train(recipe, data / "data", data / "parts", minutes=0)
    assert first.step == 1
    second = loop.train(recipe, data / "data", data / "parts")
    assert second.step == whole.step == 4
    for kind in ("model", "averaged"):
        states = [getattr(state, kind).state_dict() for state in (whole, second)]
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    scores = [[(row["step"], row["vocals_db"]) for row in state.history] for state in (whole, second)]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 2
    assert whole.best_step in (2, 4)


def test_until_a_step_and_then_with_all_songs(data):
    """As the default weights are made: the run's copy goes on with what the run itself never hears."""
    twin = load_recipe(data / "tiny.toml")
    assert loop.train(twin, data / "data", data / "run", until=3).step == 3
    everything = dataclasses.replace(twin, data=dataclasses.replace(twin.data, held_out=(), watched=()))
    end = loop.train(everything, data / "data", data / "run")
    assert end.step == end.best_step == 4  # with nothing watched the last weights are taken
    assert [np.isnan(row["vocals_db"]) for row in end.history] == [False, True]


def test_muon_has_the_hidden_matrices_and_adamw_the_rest(data):
    recipe = load_recipe(data / "tiny.toml")
    recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, optimiser="muon"))
    state = loop.start(recipe)
    names = {id(parameter): name for name, parameter in state.model.named_parameters()}
    muon, adamw = (
        [names[id(p)] for group in optimiser.param_groups for p in group["params"]]
        for optimiser in state.optimisers
    )
    assert sorted(muon + adamw) == sorted(names.values())
    assert "blocks.0.time_gru.weight_hh_l0" in muon
    assert "blocks.0.time_gru.bias_hh_l0" in adamw
    assert {"encoder.weights.0", "decoder.weights.1"} <= set(adamw)
    bad = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, optimiser="sgd"))
    with pytest.raises(ValueError, match="unknown optimiser 'sgd'"):
        loop.start(bad)


def test_a_training_can_begin_with_the_weights_of_a_file(data):
    recipe, run = str(data / "tiny.toml"), str(data / "run")
    path = data / "tiny.safetensors"
    assert main([recipe, "--data", str(data / "data"), "--run", run]) == 0
    assert main([recipe, "--run", run, "--export", str(path)]) == 0
    model, _ = load_model(path)
    still = dataclasses.replace(load_recipe(data / "tiny.toml"))
    still = dataclasses.replace(still, training=dataclasses.replace(still.training, learning_rate=0.0))
    state = loop.train(still, data / "data", data / "again", minutes=0, initial=model)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(state.model.state_dict()[key], value, rtol=0, atol=0)
        torch.testing.assert_close(state.averaged.state_dict()[key], value, rtol=0, atol=1e-7)


def test_a_training_that_goes_on_from_weights_draws_other_examples_and_keeps_to_them(data, monkeypatch):
    drawn = []

    class Drawn(loop.Mixtures):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            drawn.append(self.seed)

    monkeypatch.setattr(loop, "Mixtures", Drawn)
    recipe = load_recipe(data / "tiny.toml")
    fresh = loop.start(recipe)
    assert fresh.seed == recipe.training.seed
    state = loop.train(recipe, data / "data", data / "run", until=2, initial=fresh.model)
    assert state.seed == loop.seed_after(fresh.model, recipe.training.seed) != fresh.seed
    assert loop.seed_after(state.model, recipe.training.seed) not in (state.seed, fresh.seed)
    resumed = loop.train(recipe, data / "data", data / "run")  # --initial is not named again
    whole = loop.train(recipe, data / "data", data / "whole", initial=fresh.model)
    assert resumed.seed == whole.seed == state.seed
    assert drawn == [state.seed] * 3
    for key, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_training_lowers_the_loss(data, optimiser):
    recipe = load_recipe(data / "tiny.toml")
    recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, optimiser=optimiser))
    state = loop.start(recipe)
    vocals, accompaniment, _ = (t for t in random_stems(channels=2))
    shape = (2, 12, 129, 2)
    vocals, accompaniment = (torch.randn(shape, dtype=torch.complex64) * 0.01 for _ in range(2))
    vocals[:, :, 60:] = 0
    accompaniment[:, :, :60] = 0
    batch = {
        "vocals": vocals,
        "accompaniment": accompaniment,
        "visible": torch.ones(2, 12, 129),
        "limit": torch.tensor([129, 129]),
    }
    schedule = dataclasses.replace(recipe.training, steps=1000, warmup=1, learning_rate=1e-2)
    losses = [loop.train_step(state, batch, schedule) for _ in range(30)]
    assert losses[-1] < losses[0] - 1


def test_separate_with_a_full_mask_gives_the_mixture_back(data):
    state = loop.start(load_recipe(data / "tiny.toml"))
    with torch.no_grad():
        for weight in state.averaged.decoder.weights:
            weight.zero_()
        state.averaged.decoder.bias.fill_(40.0)
    for rate, channels in ((8000, 2), (11_025, 2), (8000, 1), (6000, 2)):
        audio = np.random.default_rng(rate).standard_normal((channels, 1234)).astype(np.float32)
        np.testing.assert_allclose(loop.separate(state.averaged, audio, rate), audio, atol=1e-5)


def test_score_of_a_half_mask(data):
    """With half of everything, both errors are half the difference of the stems."""
    recipe = load_recipe(data / "tiny.toml")
    state = loop.start(recipe)
    with torch.no_grad():
        for weight in state.averaged.decoder.weights:
            weight.zero_()
        state.averaged.decoder.bias.zero_()
    decoder = Decoder(data / "data" / "decoded")
    pair = recipe.data.watched_pairs(data / "data")[0]
    vocals, accompaniment = (decoder.excerpt(t, 0, 8000) for t in (pair.vocals, pair.accompaniment))
    error = np.sum((vocals - accompaniment) ** 2) / 4
    found = loop.score(state.averaged, [pair], decoder, equal_energy=False)
    expected = [10 * np.log10(np.sum(stem**2) / error) for stem in (vocals, accompaniment)]
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_command_trains_exports_and_explains(data, capsys):
    recipe, run = str(data / "tiny.toml"), str(data / "run")
    assert main([recipe, "--data", str(data / "data"), "--run", run]) == 0
    assert "held out: vocals" in capsys.readouterr().out
    assert (data / "run" / "history.csv").read_text().count("\n") == 3
    assert (data / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    path = data / "tiny.safetensors"
    assert main([recipe, "--run", run, "--export", str(path), "--note", "license=CC0"]) == 0
    _, metadata = load_model(path)
    assert metadata["name"] == "tiny"
    assert metadata["license"] == "CC0"
    assert main(["nonsense", "--run", run, "--data", str(data)]) == 1
    assert "no recipe 'nonsense'" in capsys.readouterr().err
    assert main([recipe, "--run", str(data / "empty"), "--export", str(path)]) == 1
    assert "nothing to export" in capsys.readouterr().err
    mean = ["--export", str(data / "mean.safetensors"), "--average", str(path)]
    assert main([recipe, "--run", run, *mean]) == 0
    alone, both = (load_model(file) for file in (path, data / "mean.safetensors"))
    assert all(torch.equal(*pair) for pair in zip(alone[0].parameters(), both[0].parameters(), strict=True))
    assert both[1]["score"].endswith(", before the mean with 1 more")
    with pytest.raises(SystemExit):
        main([recipe, "--run", run, "--average", str(path)])


def test_a_mean_with_the_smaller_network_that_a_run_began_with(data, capsys):
    """All of it and nothing of the run: the masks of the smaller network."""
    small, mean, run = data / "small.safetensors", data / "mean.safetensors", str(data / "wide")
    recipe = load_recipe(data / "tiny.toml")
    torch.manual_seed(5)
    save_model(build(**recipe.model), small, "tiny")
    wide = data / "wide.toml"
    wide.write_text(RECIPE.replace("dim = 32", "dim = 64"))
    started = ["--data", str(data / "data"), "--initial", str(small)]
    assert main([str(wide), "--run", run, *started]) == 0
    exported = ["--export", str(mean), "--average", str(small)]
    assert main([str(wide), "--run", run, *exported, "--share", "0"]) == 0
    networks = [load_model(file)[0] for file in (small, mean)]
    assert [network.dim for network in networks] == [32, 64]
    x = torch.rand(1, 7, networks[0].grid.bins, 4)
    masks = [network(x)[0] for network in networks]
    torch.testing.assert_close(masks[1], masks[0], atol=2e-3, rtol=0)  # matrices are rounded to float16
    assert main([str(wide), "--run", run, *exported, "--share", "2"]) == 1
    assert "2.0; it must lie between 0 and 1" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(wide), "--run", run, "--export", str(mean), "--share", "0.5"])


def test_a_constant_rate_stays_until_the_decay(data):
    schedule = dataclasses.replace(
        load_recipe(data / "tiny.toml").training,
        schedule="constant",
        steps=1000,
        warmup=100,
        decay_steps=200,
        learning_rate=1.0,
    )
    rates = [loop.learning_rate(schedule, step) for step in range(1000)]
    assert rates[49] == pytest.approx(0.5)
    assert set(rates[100:800]) == {1.0}
    np.testing.assert_allclose(rates[800:], np.linspace(1, 0, 200, endpoint=False))
    unknown = dataclasses.replace(schedule, schedule="steps")
    with pytest.raises(ValueError, match="unknown schedule 'steps'"):
        loop.learning_rate(unknown, 0)


def test_a_copy_of_a_run_is_ended_by_a_decay_and_resumes_within_it(data, monkeypatch):
    recipe = load_recipe(data / "tiny.toml")
    endless = dataclasses.replace(
        recipe, training=dataclasses.replace(recipe.training, schedule="constant", steps=1000, warmup=1)
    )
    assert loop.train(endless, data / "data", data / "run", until=3).step == 3
    for copy in ("whole", "parts"):
        shutil.copytree(data / "run", data / copy)
    rates = []
    rate_of = loop.learning_rate

    def spied(schedule, step):
        rates.append((step, rate_of(schedule, step) / schedule.learning_rate))
        return rate_of(schedule, step)

    monkeypatch.setattr(loop, "learning_rate", spied)
    whole = loop.train(endless, data / "data", data / "whole", decay=4)
    assert whole.step == 7
    assert dict(rates) == {3: 1.0, 4: 0.75, 5: 0.5, 6: 0.25}
    assert whole.history[-1]["step"] == 7
    assert loop.train(endless, data / "data", data / "parts", decay=4, until=5).step == 5
    parts = loop.train(endless, data / "data", data / "parts", decay=4)
    assert parts.step == 7
    assert all(
        torch.equal(a, b) for a, b in zip(whole.model.parameters(), parts.model.parameters(), strict=True)
    )
    with pytest.raises(ValueError, match="nothing to decay"):
        loop.train(endless, data / "data", data / "new", decay=4)
