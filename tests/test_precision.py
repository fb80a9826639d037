"""Networks in bfloat16 and int8: the promises hold, and the stems hardly change."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep import _core, cli

HERE = [name for name in ("bfloat16", "int8") if _core.has_precision(getattr(_core.Precision, name))]
# What rounding may change, as error energy over that of the voice, in dB.
LARGEST = {"bfloat16": -45, "int8": -35}
needs_bfloat16 = pytest.mark.skipif("bfloat16" not in HERE, reason="this machine does not multiply bfloat16")


def singing(samples: int, rate: int = 44_100) -> np.ndarray:
    """A hum with a voice's vibrato and pauses: without any, what passes for vocals is next to nothing."""
    time = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(220 * 2 ** (0.05 * np.sin(2 * np.pi * 5 * time))) / rate
    hum = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 15))
    return (0.2 * hum * (np.sin(2 * np.pi * 1.3 * time) > -0.5)).astype(np.float32)


@pytest.mark.parametrize("precision", HERE)
@pytest.mark.parametrize("name", ["band-gru", "gru"])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_promises_hold_and_the_stems_hardly_change(precision, name, channels, mixture) -> None:
    audio = singing(60_000) + mixture(60_000, channels)
    exact = pyvocsep.process(audio, 44_100, model=name)
    stems = pyvocsep.process(audio, 44_100, model=name, precision=precision)
    np.testing.assert_allclose(stems.vocals + stems.accompaniment, audio, rtol=0, atol=6e-8)
    difference = np.square(stems.vocals - exact.vocals).sum() / np.square(exact.vocals).sum()
    assert 0 < difference < 10 ** (LARGEST[precision] / 10), "either nothing was rounded, or too much"

    separator = pyvocsep.Separator(44_100, channels, model=name, threads=2, precision=precision)
    blocks = np.split(audio, [1, 777, 20_000, 20_064, 50_000], axis=1)
    parts = [separator.process(block) for block in blocks] + [separator.flush()]
    vocals, accompaniment = (np.concatenate(stem, axis=1) for stem in zip(*parts, strict=True))
    latency = separator.latency_samples
    np.testing.assert_array_equal(vocals[:, latency:], stems.vocals)
    np.testing.assert_array_equal(accompaniment[:, latency:], stems.accompaniment)

    effect = pyvocsep.StemMixer.vocals(model=name, precision=precision)
    np.testing.assert_array_equal(effect(audio, 44_100), stems.vocals)


@pytest.mark.parametrize("precision", HERE)
def test_a_model_that_looks_ahead_streams_exactly(precision, models, mixture) -> None:
    model = models["band-gru that looks ahead"]
    audio = mixture(40_000)
    stems = pyvocsep.process(audio, 44_100, model=model, precision=precision)
    assert not np.array_equal(stems.vocals, pyvocsep.process(audio, 44_100, model=model).vocals)
    separator = pyvocsep.Separator(44_100, 2, model, threads=2, precision=precision)
    parts = [separator.process(block) for block in np.split(audio, [1, 777, 20_000], axis=1)]
    vocals, _ = (np.concatenate(stem, axis=1) for stem in zip(*parts, separator.flush(), strict=True))
    np.testing.assert_array_equal(vocals[:, separator.latency_samples :], stems.vocals)


@needs_bfloat16
def test_masks_are_those_of_rounded_weights(models) -> None:
    """Against PyTorch with the same weights, rounded: what is left is the rounding of the layers' inputs."""
    torch = pytest.importorskip("torch")
    _testing = pytest.importorskip(
        "pyvocsep._testing", reason="built without it: -C cmake.define.PYVOCSEP_TEST_MODULE=ON"
    )
    from pyvocsep.training.export import load_model

    network, _ = load_model(models["band-gru"])
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 2:
                parameter.copy_(parameter.bfloat16().float())
    model = _core.Model(str(models["band-gru"]), _core.Precision.bfloat16)
    estimator = _testing.MaskEstimator(model, model.sample_rate, 2)
    rng = np.random.default_rng(0)
    shape = (2, 30, model.n_fft // 2 + 1)
    spectra = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64) * 10
    with torch.no_grad():
        stack = torch.from_numpy(spectra).permute(1, 2, 0)[None]
        expected, _ = network(network.features(stack, model.n_fft))
    found = estimator.masks(spectra)
    np.testing.assert_allclose(found, expected[0].permute(2, 0, 1).numpy(), rtol=0, atol=0.02)


@pytest.mark.parametrize("precision", HERE)
def test_the_command_takes_it(precision, mixture, tmp_path) -> None:
    audio = mixture(30_000)
    soundfile.write(tmp_path / "song.wav", audio.T, 44_100, subtype="FLOAT")
    assert cli.main([str(tmp_path / "song.wav"), "--precision", precision, "-q"]) == 0
    vocals, _ = soundfile.read(tmp_path / "song.vocals.wav", dtype="float32")
    expected = pyvocsep.process(audio, 44_100, precision=precision)
    np.testing.assert_array_equal(vocals.T, expected.vocals)


@pytest.mark.parametrize(("precision", "feature"), [("bfloat16", "AVX512-BF16"), ("int8", "VNNI")])
def test_where_it_is_missing_an_error_says_so(precision, feature) -> None:
    isa = _core.available_isas()[0]
    if isa == "neon" and precision in HERE:
        pytest.skip("the only instruction set here has it")
    command = f"import pyvocsep; pyvocsep.Separator(precision={precision!r})"
    environment = os.environ | {"PYVOCSEP_ISA": isa}
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, env=environment)
    assert result.returncode != 0
    assert f"ValueError: precision is {precision}, which needs a processor with {feature}" in result.stderr


@pytest.mark.skipif("avx2" not in _core.available_isas() or "int8" not in HERE, reason="needs AVX2 and VNNI")
def test_int8_gives_the_same_stems_by_either_width_of_vectors(mixture, tmp_path) -> None:
    """Sums of integers are exact: what differs is float32's rounding, now and then by a step."""
    soundfile.write(tmp_path / "song.wav", mixture(30_000).T, 44_100, subtype="FLOAT")
    stems = []
    for isa in ("avx2", "avx512"):
        code = "import sys; from pyvocsep import _core, cli;"
        code += " print(_core.has_precision(_core.Precision.int8)); sys.exit(cli.main(sys.argv[1:]))"
        arguments = [str(tmp_path / "song.wav"), "-o", str(tmp_path / isa), "--precision", "int8", "-q"]
        result = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            env=os.environ | {"PYVOCSEP_ISA": isa},
        )
        if "is not an instruction set" in result.stderr or result.stdout.startswith("False"):
            pytest.skip(f"no int8 with {isa} here")
        assert result.returncode == 0, result.stderr
        stems.append(soundfile.read(tmp_path / isa / "song.vocals.wav")[0])
    assert np.square(stems[0] - stems[1]).sum() < 1e-4 * np.square(stems[0]).sum()


def test_unknown_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match="precision is 'int4'; it must be one of float32, bfloat16, int8"):
        pyvocsep.process(np.zeros((2, 100), np.float32), 44_100, precision="int4")
