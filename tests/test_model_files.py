"""Model files that are damaged, or made to do damage: refused as the reference refuses them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_files import random_band_gru, random_gru, write_safetensors

import pyvocsep
from pyvocsep import _core

safetensors = pytest.importorskip("safetensors")

SIZES = st.one_of(st.integers(0, 6), st.sampled_from([-1, 2**31, 2**32, 2**63, 10**30, 1.5, "2", None]))
DTYPES = st.sampled_from(["F32", "F16", "BF16", "F64", "I8", "BOOL", "f32", ""])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Small .safetensors files, many of them sound, with tensors that may overlap or leave holes."""
    header: dict[str, Any] = {}
    end = 0
    for name in draw(st.lists(st.text(max_size=3), max_size=4, unique=True)):
        dtype = draw(st.one_of(st.sampled_from(["F32", "F16", "BF16"]), DTYPES))
        shape = draw(st.lists(st.integers(0, 3), max_size=3))
        size = int(np.prod(shape, dtype=int)) * {"F32": 4, "F16": 2, "BF16": 2, "F64": 8}.get(dtype, 1)
        offsets: list[Any] = [end, end + size]
        if draw(st.integers(0, 9)) == 0:
            shape = draw(st.lists(SIZES, max_size=5))
        if draw(st.integers(0, 9)) == 0:
            offsets = draw(st.lists(st.one_of(st.integers(0, 40), SIZES), max_size=3))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        end += size
    if draw(st.booleans()):
        header["__metadata__"] = draw(st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2))
    text = json.dumps(header, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.binary(max_size=3)) + text[place + draw(st.integers(0, 2)) :]
    length = len(text) + draw(st.sampled_from([0] * 9 + [1, -1, 2**40]))
    data = bytes(max(0, end + draw(st.sampled_from([0] * 9 + [1, -1, 4]))))
    return (length % 2**64).to_bytes(8, "little") + text + data


@settings(max_examples=400, deadline=None)
@given(files())
def test_what_the_reference_refuses_is_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "some.safetensors"
    path.write_bytes(content)
    try:
        safetensors.deserialize(content)
        is_sound = True
    except safetensors.SafetensorError:
        is_sound = False
    with pytest.raises(ValueError, match=r"some\.safetensors: ") as caught:
        _core.Model(path)
    if not is_sound:  # and not because of what a model lacks
        assert "is missing" not in str(caught.value)


def opened(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The header of a file: its tensors' entries, and its metadata."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.pop("__metadata__")
    return header, metadata


EDITS = st.one_of(
    st.integers(-3, 70_000).map(str),
    st.text(max_size=6),
    st.lists(st.integers(-1, 300), max_size=5).map(lambda numbers: ",".join(map(str, numbers))),
    st.sampled_from(["nan", "inf", "1e999", "9" * 400, "gru", "band-gru"]),
)
KEYS = (
    *("format", "architecture", "sample_rate", "n_fft", "hop", "exponent", "stems", "extension_bins"),
    *("band_counts", "band_widths", "level_seconds", "spatial_seconds"),
    *("look_ahead_chunk", "look_ahead_context", "name"),
)


def random_band_gru_ahead(path: Path) -> Path:
    return random_band_gru(path, ahead=[1])


MAKERS = st.sampled_from([random_band_gru, random_band_gru_ahead, random_gru])


@settings(max_examples=200, deadline=None)
@given(
    make=MAKERS,
    edits=st.dictionaries(st.sampled_from(KEYS), EDITS, min_size=1, max_size=3),
)
def test_any_metadata_load_and_work_or_are_refused(tmp_path_factory, make, edits: dict[str, str]) -> None:
    path = make(tmp_path_factory.getbasetemp() / "edited.safetensors")
    header, metadata = opened(path)
    tensors = {name: np.zeros(entry["shape"], np.float16) for name, entry in header.items()}
    write_safetensors(path, tensors, metadata | edits)
    try:
        separator = pyvocsep.Separator(16_000, 2, path)
    except ValueError as error:
        if len(str(error)) >= 1_000:
            raise
        return
    vocals, accompaniment = separator.process(np.ones((2, 3_000), np.float32))
    assert np.isfinite(vocals).all()
    assert np.isfinite(accompaniment).all()


@settings(max_examples=200, deadline=None)
@given(data=st.data(), make=MAKERS)
def test_tensors_of_any_shape_load_and_work_or_are_refused(tmp_path_factory, data, make) -> None:
    folder = tmp_path_factory.getbasetemp()
    header, metadata = opened(make(folder / "sound.safetensors"))
    names = data.draw(st.lists(st.sampled_from(sorted(header)), min_size=1, max_size=2, unique=True))
    tensors = {name: np.zeros(entry["shape"], np.float16) for name, entry in header.items()}
    for name in names:
        shape = header[name]["shape"]
        other = data.draw(st.none() | st.lists(st.integers(0, 40), max_size=4) | st.just(list(shape)))
        if other == shape:  # but for one size
            place = data.draw(st.integers(0, len(shape) - 1))
            other[place] = data.draw(st.integers(0, 300))
        if other is None:
            del tensors[name]
        else:
            tensors[name] = np.ones(other, np.float32)
    path = write_safetensors(folder / "edited.safetensors", tensors, metadata)
    try:
        separator = pyvocsep.Separator(16_000, 1, path)
    except ValueError as error:
        message = str(error)
        is_named = any(name in message for name in header) or "block" in message or "is not three" in message
        if not is_named:
            raise
        return
    assert all(np.isfinite(stem).all() for stem in separator.process(np.ones(3_000, np.float32)))


def test_an_encoder_bias_of_one_band(tmp_path: Path) -> None:
    path = random_band_gru(tmp_path / "sound.safetensors")
    header, metadata = opened(path)
    tensors = {name: np.zeros(entry["shape"], np.float32) for name, entry in header.items()}
    tensors["encoder.bias"] = tensors["encoder.bias"][:1]
    write_safetensors(path, tensors, metadata)
    with pytest.raises(ValueError, match=r"'encoder\.bias' has shape \(1, 32\), expected \(7, 32\)"):
        pyvocsep.Separator(44_100, 2, path)


@pytest.mark.parametrize("name", [b"m\xff\xfe.safetensors", "m\u00e9.safetensors".encode("latin-1")])
def test_a_path_that_is_not_utf8(tmp_path: Path, name: bytes) -> None:
    folder = os.fsencode(tmp_path)
    path = folder + b"/" + name
    os.rename(random_band_gru(tmp_path / "sound.safetensors"), path)
    text = os.fsdecode(path)
    for given_path in (text, Path(text)):
        assert pyvocsep.Separator(44_100, 2, given_path).latency_samples == 512
        assert repr(pyvocsep.StemMixer(model=given_path))
    assert _core.Model(path).n_fft == 512
    Path(text).write_bytes(b"no model")
    with pytest.raises(ValueError, match="not a safetensors file") as caught:
        pyvocsep.Separator(44_100, 2, text)
    assert text in str(caught.value)
    os.unlink(path)
    with pytest.raises(FileNotFoundError):
        pyvocsep.Separator(44_100, 2, text)
    with pytest.raises(FileNotFoundError):
        _core.Model(path)


@pytest.mark.parametrize(
    "bad",
    [b'"x":"\xff"', b'"\xc3":"x"', b'"x":"\\udc00"', b'"x":"\\ud800"', b'"x":"\xed\xa0\x80"', b'"x":"a\nb"'],
)
def test_metadata_that_are_no_text(tmp_path: Path, bad: bytes) -> None:
    header = b'{"__metadata__":{' + bad + b"}}"
    path = tmp_path / "text.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ValueError, match=r"text\.safetensors: damaged header: JSON"):
        _core.Model(path)


def test_a_path_of_another_type_or_with_a_zero() -> None:
    with pytest.raises(TypeError):
        _core.Model(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="null"):
        _core.Model("a\0b")


class TestArrays:
    """Arrays that are not aligned never reach C++."""

    @staticmethod
    def odd(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        array = np.frombuffer(bytearray(size + 1), np.uint8)[1:].view(dtype).reshape(shape)
        assert not array.flags.aligned
        array[...] = 0.25
        return array

    def test_the_package_takes_a_copy(self, tmp_path: Path) -> None:
        path = random_band_gru(tmp_path / "model.safetensors")
        for dtype in (np.float32, np.float64, ">f4"):
            audio = self.odd((2, 3_000), dtype)
            expected = np.full((2, 3_000), 0.25, np.float32)
            for take in (
                lambda x: pyvocsep.process(x, 44_100, model=path).vocals,
                lambda x: pyvocsep.Separator(44_100, 2, path).process(x)[0],
                lambda x: pyvocsep.StemMixer(model=path)(x, 44_100),
                lambda x: pyvocsep.StemMixer(model=path)(np.ascontiguousarray(x.T), 44_100).T,
            ):
                np.testing.assert_array_equal(take(audio), take(expected))

    def test_the_core_refuses_them(self, tmp_path: Path) -> None:
        model = _core.Model(random_band_gru(tmp_path / "model.safetensors"))
        good, bad = np.zeros((2, 64), np.float32), self.odd((2, 64))
        separator, mixer = _core.Separator(model, 44_100, 2), _core.StemMixer(model, 44_100, 2)
        for call in (
            lambda: separator.process(bad, good, good.copy()),
            lambda: separator.process(good, bad, good.copy()),
            lambda: mixer.process(good, bad),
            lambda: _core.analyse(bad, 64, 32),
            lambda: _core.synthesise(self.odd((1, 2, 33), np.complex64), 64, 32),
        ):
            with pytest.raises(TypeError, match="aligned"):
                call()
