"""Networks that look ahead: the GRU backwards over chunks, what it sees, and how a network gets it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pyvocsep.grid import Grid  # noqa: E402
from pyvocsep.training import kernels  # noqa: E402
from pyvocsep.training.export import load_model, save_model  # noqa: E402
from pyvocsep.training.growth import warm_start  # noqa: E402
from pyvocsep.training.look_ahead import run_backwards  # noqa: E402
from pyvocsep.training.models import BandGRU  # noqa: E402
from pyvocsep.training.recipe import find_recipe, load_recipe  # noqa: E402

GRID = Grid(8000, 256, 128)
ZONES = [(5, 4), (3, 20), (2, 25)]


def network(seed=0, blocks=3, look_ahead=None, dim=32):
    torch.manual_seed(seed)
    made = BandGRU(GRID, dim, blocks, ZONES, look_ahead=look_ahead)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if name.startswith("decoder.weights"):
                parameter.mul_(4)  # masks that vary
    return made.eval()


def ahead(*blocks, chunk=4, context=2):
    return {"blocks": list(blocks), "chunk": chunk, "context": context}


def by_hand(gru, x, chunk, context):
    """Chunk after chunk, band after band, one nn.GRU call each."""
    parts = []
    for first in range(0, x.shape[1], chunk):
        seen = x[:, first : first + chunk + context].flip(1)
        bands = [gru(seen[:, :, band])[0].flip(1) for band in range(x.shape[2])]
        parts.append(torch.stack(bands, 2)[:, :chunk])
    return torch.cat(parts, 1)


@pytest.mark.parametrize("with_kernel", [True, False])
@pytest.mark.parametrize(
    ("frames", "chunk", "context"), [(1, 4, 2), (4, 4, 0), (13, 4, 2), (12, 4, 9), (7, 1, 0), (21, 8, 3)]
)
def test_chunks_equal_those_run_by_hand(frames, chunk, context, with_kernel, monkeypatch):
    if with_kernel and kernels.find() is None:
        pytest.skip("the recurrent kernel is not built")
    if not with_kernel:
        monkeypatch.setattr(kernels, "find", lambda: None)
    torch.manual_seed(0)
    gru, x = torch.nn.GRU(32, 32, batch_first=True), torch.randn(2, frames, 3, 32)
    results = []
    for run in (run_backwards, by_hand):
        gru.zero_grad()
        own = x.clone().requires_grad_()
        states = run(gru, own, chunk, context)
        assert states.shape == x.shape
        (states * torch.linspace(-1, 1, x.numel()).view_as(x)).sum().backward()
        results.append([states.detach(), own.grad, *(p.grad.clone() for p in gru.parameters())])
    for ours, theirs in zip(*results, strict=True):
        assert (ours - theirs).abs().max() <= 5e-6 * max(1.0, float(theirs.abs().max()))


def test_a_frame_hears_its_chunk_and_the_context_and_no_more():
    made, magnitudes = network(look_ahead=ahead(1)), torch.rand(1, 20, GRID.bins, 4)
    with torch.no_grad():
        before = made(magnitudes)[0]
        for place in range(20):
            changed = magnitudes.clone()
            changed[:, place] += 1
            differs = (made(changed)[0] != before).flatten(2).any(2)[0]
            first = max(0, place - 2) // 4 * 4  # of the first chunk whose context reaches the place
            assert differs.nonzero()[0].item() == first, place


@pytest.mark.parametrize("blocks", [(1,), (0, 2)])
def test_masks_are_final_once_enough_frames_follow(blocks):
    made, magnitudes = network(look_ahead=ahead(*blocks)), torch.rand(1, 40, GRID.bins, 4)
    late = made.look_ahead_frames
    assert late == 5 * len(blocks)
    with torch.no_grad():
        whole = made(magnitudes)[0]
        for frames in range(late + 1, 40):
            part = made(magnitudes[:, :frames])[0]
            torch.testing.assert_close(part[:, : frames - late], whole[:, : frames - late], atol=1e-6, rtol=0)


def test_a_network_grown_to_look_ahead_begins_near_its_weights_and_learns():
    old, grown = network(0, blocks=2), network(1, look_ahead=ahead(0, 2))
    magnitudes = torch.rand(2, 30, GRID.bins, 4)
    said = warm_start(grown, old)
    assert any("2 blocks more that look ahead" in line for line in said)
    grown.train()(magnitudes)[0].square().sum().backward()
    for parameter in grown.blocks[0].ahead.parameters():
        assert parameter.grad.abs().max() > 0
    with torch.no_grad():
        expected, near = old(magnitudes)[0], grown(magnitudes)[0]
        for block in (grown.blocks[0], grown.blocks[2]):
            assert torch.equal(block.ahead.scale, torch.full((32,), 0.01))
            block.ahead.scale.zero_()
        torch.testing.assert_close(grown(magnitudes)[0], expected, rtol=0, atol=1e-6)
        assert not torch.equal(near, expected)


def test_what_looks_ahead_already_stays_as_it_is_in_a_larger_network():
    old, grown = network(0, look_ahead=ahead(1)), network(1, 4, ahead(1, 3), dim=64)
    magnitudes = torch.rand(1, 15, GRID.bins, 4)
    warm_start(grown, old)
    with torch.no_grad():
        grown.blocks[3].ahead.scale.zero_()
        torch.testing.assert_close(grown(magnitudes)[0], old(magnitudes)[0], rtol=0, atol=5e-5)
    with pytest.raises(ValueError, match="look_ahead"):
        warm_start(network(1, look_ahead=ahead(2)), old)


def test_a_model_file_says_how_far_it_looks_ahead(tmp_path):
    made = network(look_ahead=ahead(0, 2))
    save_model(made, tmp_path / "model.safetensors", "x")
    loaded, metadata = load_model(tmp_path / "model.safetensors")
    assert (metadata["look_ahead_chunk"], metadata["look_ahead_context"]) == ("4", "2")
    assert loaded.look_ahead == made.look_ahead
    assert loaded.look_ahead_frames == 10
    save_model(network(), tmp_path / "causal.safetensors", "x")
    assert not any(key.startswith("look_ahead") for key in load_model(tmp_path / "causal.safetensors")[1])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"blocks": [1], "chunk": 4}, "it must have blocks, chunk, context"),
        (ahead(1) | {"frames": 3}, "it must have blocks, chunk, context"),
        (ahead(), "blocks 0 to 2"),
        (ahead(3), "blocks 0 to 2"),
        (ahead(2, 1), "in order"),
        (ahead(1, 1), "in order"),
        (ahead(1, chunk=0), "chunks of 0"),
        (ahead(1, context=-1), "a context of -1"),
        (ahead(0, 1, 2, chunk=80, context=7), "258 frames in all; at most 256"),
    ],
)
def test_what_makes_no_sense_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        network(look_ahead=table)


def test_the_recipe_for_files_is_the_live_one_with_look_ahead():
    live, files = (load_recipe(find_recipe(name)) for name in ("band-gru", "band-gru-files"))
    model = dict(files.model)
    look_ahead = model.pop("look_ahead")
    assert model == live.model
    assert (files.data, files.mixing) == (live.data, live.mixing)
    assert files.training.frames % look_ahead["chunk"] == 0  # no way back is cut short for nothing
