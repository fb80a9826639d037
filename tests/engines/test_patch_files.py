"""Files of patch models that make no sense: each is refused by name, key and value, and none crashes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_files import patch_model

import pyvocsep
from pyvocsep.engines.patch_format import read_patch_format
from pyvocsep.engines.patch_model import PatchModel

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SOUND = {
    "format": "pyvocsep-1",
    "sample_rate": "16000",
    "n_fft": "256",
    "hop": "128",
    "extension_bins": "8",
    "patch_frames": "16",
    "kept_frames": "8",
}
NONSENSE = {
    "sample_rate": ["0", "-1", "7999", "192001", "44100.0", "", "nan", "1e5", "9" * 5000, "16_000", "\u0661\u0666"],
    "n_fft": ["0", "-4", "257", "63", "16386", "4294967552", "0x100", " 256"],
    "hop": ["0", "-128", "256", "512", "1", "127", "100", "half", "\x00"],
    "extension_bins": ["0", "-1", "130", "x"],
    "patch_frames": ["0", "-16", "1000000000", "9223372036854775808", "4097"],
    "kept_frames": ["0", "17", "9", "-8", "4", ""],
    "format": ["", "pyvocsep-2", "PYVOCSEP-1", "pyvocsep-1 "],
}


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, values in NONSENSE.items() for v in values])
def test_metadata_without_sense(tmp_path: Path, key: str, value: str) -> None:
    path = patch_model(tmp_path / "strange.onnx", **{key: value})
    for use in (
        lambda: PatchModel(path),
        lambda: pyvocsep.Separator(44_100, 1, model=path),
        lambda: pyvocsep.process(np.zeros(100, np.float32), 44_100, model=path),
    ):
        with pytest.raises(ValueError, match=rf"strange\.onnx.*{key}") as caught:
            use()
        assert len(str(caught.value)) < 500 + len(str(path))


@pytest.mark.parametrize("key", SOUND)
def test_metadata_that_are_missing(key: str) -> None:
    rest = {name: value for name, value in SOUND.items() if name != key}
    with pytest.raises(ValueError, match=key):
        read_patch_format(rest, "some.onnx")


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(sorted(SOUND)),
        st.one_of(st.integers(-5, 70_000).map(str), st.integers().map(str), st.text(max_size=8)),
    )
)
def test_any_metadata_give_a_sound_format_or_a_value_error(edits: dict[str, str]) -> None:
    try:
        form = read_patch_format({**SOUND, **edits}, "some.onnx")
    except ValueError as error:
        assert str(error).startswith("some.onnx")
        return
    assert form.n_fft // form.hop in (2, 4)
    assert form.n_fft % form.hop == 0
    assert 1 <= form.kept_frames <= form.patch_frames
    margin = (form.patch_frames - form.kept_frames) // 2
    assert margin + form.kept_frames + margin == form.patch_frames
    assert margin <= form.kept_frames
    assert 1 <= form.extension_bins <= form.bins


def graph(path: Path, shape: list[object], **names: str) -> Path:
    """A model that passes its input through, with such names and such a shape."""
    from onnx import TensorProto, helper

    given, result = names.get("given", "magnitudes"), names.get("result", "masks")
    kind = TensorProto.DOUBLE if names.get("kind") == "double" else TensorProto.FLOAT
    nodes = [helper.make_node(names.get("operator", "Identity"), [given], [result])]
    if names.get("operator") == "Flatten":
        nodes = [helper.make_node("Flatten", [given], [result], axis=1)]
    made = helper.make_graph(
        nodes,
        "strange",
        [helper.make_tensor_value_info(given, kind, shape)],
        [helper.make_tensor_value_info(result, kind, None if "operator" in names else shape)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {**SOUND, "name": "strange", "architecture": "cnn"})
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(
    ("shape", "names", "message"),
    [
        (["n", 16, 129, 1], {"given": "x"}, "inputs are"),
        (["n", 16, 129, 1], {"result": "y"}, "outputs are"),
        (["n", 16, 128, 1], {}, r"'magnitudes' has shape"),
        (["n", 17, 129, 1], {}, r"'magnitudes' has shape"),
        (["n", 16, 129], {}, r"'magnitudes' has shape"),
        (["n", 16, 129, 2], {}, r"'magnitudes' has shape"),
        (["n", 16, 129, 1], {"kind": "double"}, r"tensor\(float\)"),
    ],
)
def test_a_graph_of_another_form(tmp_path: Path, shape, names, message) -> None:
    path = graph(tmp_path / "strange.onnx", shape, **names)
    with pytest.raises(ValueError, match=rf"strange\.onnx.*{message}"):
        pyvocsep.Separator(16_000, 1, model=path)


@pytest.mark.parametrize("operator", ["Flatten", "Log"])
def test_a_graph_whose_result_is_of_another_form(tmp_path: Path, operator: str) -> None:
    path = graph(tmp_path / "strange.onnx", ["a", "b", "c", "d"], operator=operator)
    audio = np.zeros(9_000, np.float32)  # whose logarithm is not finite
    with pytest.raises(ValueError, match=r"strange\.onnx.*(shape|does not run)"):
        pyvocsep.process(audio, 16_000, model=path)


def test_a_file_cut_short_or_damaged(tmp_path: Path) -> None:
    path = patch_model(tmp_path / "sound.onnx")
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    broken = tmp_path / "broken.onnx"
    for trial in range(60):
        damaged = bytearray(content[: rng.integers(len(content))] if trial % 3 == 0 else content)
        for _ in range(3):
            if damaged:
                damaged[rng.integers(len(damaged))] = rng.integers(256)
        broken.write_bytes(damaged)
        try:
            pyvocsep.process(np.ones(5_000, np.float32), 16_000, model=broken)
        except ValueError as error:
            assert "broken.onnx" in str(error)


def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xff.onnx"))
    patch_model(tmp_path / "sound.onnx").rename(path)
    assert pyvocsep.process(np.ones(5_000, np.float32), 16_000, model=path).vocals.any()
