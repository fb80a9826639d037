"""The VST3 plugin in pedalboard: to the bit what the core gives, aligned, whatever the blocks.

(csrc/tests/vst3_host.cpp calls the plugin's interfaces without pedalboard between.)
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import Mixture
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pyvocsep
from pyvocsep.effects import vst3
from pyvocsep.models import shipped_models
from pyvocsep.plugins import bundles

if TYPE_CHECKING:
    import pedalboard
    from pedalboard import VST3Plugin
else:
    pedalboard = pytest.importorskip("pedalboard", reason="pedalboard is not installed")

try:
    vst3.vst3_path()
except FileNotFoundError as error:
    pytest.skip(f"no plugin: {error.strerror}", allow_module_level=True)

Audio = NDArray[np.float32]

SILENCE = float("-inf")
DEFAULT = {"vocals_db": 0.0, "accompaniment_db": -60.0}


def reference(
    audio: Audio, rate: float = 44_100, model: str = "band-gru", *, vocals_db: float, accompaniment_db: float
) -> Audio:
    """The stems of `Separator`, aligned, each times its gain."""
    separator = pyvocsep.Separator(rate, audio.shape[0], model)
    parts = [separator.process(audio), separator.flush()]
    vocals, accompaniment = (
        np.concatenate(stem, axis=1)[:, separator.latency_samples :] for stem in zip(*parts, strict=True)
    )
    return gain(vocals_db) * vocals + gain(accompaniment_db) * accompaniment


def gain(db: float) -> np.float32:
    return np.float32(10 ** (db / 20))


def stream(plugin: Any, audio: Audio, sizes: list[int], rate: float = 44_100) -> tuple[Audio, int]:
    """The output for blocks of these sizes, over and over, and how many samples are still inside."""
    parts = []
    begin = 0
    while begin < audio.shape[1]:
        size = sizes[len(parts) % len(sizes)]
        parts.append(plugin.process(audio[:, begin : begin + size], rate, reset=False))
        begin += size
    output = np.concatenate(parts, axis=1)
    return output, audio.shape[1] - output.shape[1]


@pytest.fixture(scope="module")
def plugin() -> VST3Plugin:
    return vst3.load_vst3()


@pytest.fixture(autouse=True)
def _defaults(plugin: VST3Plugin) -> None:
    plugin.vocals_db, plugin.accompaniment_db = DEFAULT["vocals_db"], DEFAULT["accompaniment_db"]
    plugin.model, plugin.bypass = "band-gru", False
    plugin.reset()


def test_the_bundle_is_a_vst3() -> None:
    path = vst3.vst3_path()
    assert path.name == "pyvocsep.vst3"
    assert (path / "Contents").is_dir()


def test_an_installation_without_the_plugin_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundles, "FOLDER", tmp_path)
    for call in (vst3.vst3_path, vst3.load_vst3):
        with pytest.raises(FileNotFoundError, match=r"without the VST3 plugin.*PYVOCSEP_VST3=ON"):
            call()


def test_without_pedalboard_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pedalboard", None)
    with pytest.raises(ImportError, match=r"pip install pyvocsep\[pedalboard\]"):
        vst3.load_vst3()


def test_it_is_an_effect(plugin: VST3Plugin) -> None:
    assert plugin.name == "pyvocsep"
    assert plugin.is_effect
    assert not plugin.is_instrument
    # Anything else would make pedalboard load it anew for every call.
    assert plugin._reload_type.name == "ClearsAudioOnReset"


def test_parameters(plugin: VST3Plugin) -> None:
    assert set(plugin.parameters) == {"vocals_db", "accompaniment_db", "model", "bypass"}
    fresh = vst3.load_vst3()
    assert (fresh.vocals_db, fresh.accompaniment_db) == (0, -60)
    assert (str(fresh.model), bool(fresh.bypass)) == ("band-gru", False)
    # Those that stream; band-gru-mir1k is for comparison on its benchmark, not for listening to.
    assert set(plugin.parameters["model"].valid_values) == {"band-gru", "gru"}
    assert {"band-gru", "gru"} <= set(shipped_models())
    other = vst3.load_vst3(vocals_db=SILENCE, accompaniment_db=-6.5, model="gru", bypass=True)
    assert (other.vocals_db, other.accompaniment_db) == (SILENCE, -6.5)
    assert (str(other.model), bool(other.bypass)) == ("gru", True)


def test_every_tenth_of_a_decibel_can_be_set(plugin: VST3Plugin) -> None:
    for db in [SILENCE, *(tenths / 10 for tenths in range(-879, 121))]:
        plugin.vocals_db = db
        assert plugin.vocals_db == db


@pytest.mark.parametrize("wrong", [{"vocals_db": 12.1}, {"accompaniment_db": 100}, {"model": "no such"}])
def test_a_value_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        vst3.load_vst3(**wrong)


@pytest.mark.parametrize("model", ["band-gru", "gru"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_it_equals_the_core(
    plugin: VST3Plugin, mixture: Mixture, rate: int, channels: int, model: str
) -> None:
    audio = mixture(rate // 2, channels, rate)
    plugin.model, plugin.vocals_db, plugin.accompaniment_db = model, -6.5, 3.3
    expected = reference(audio, rate, model, vocals_db=-6.5, accompaniment_db=3.3)
    np.testing.assert_array_equal(plugin(audio, rate), expected)


@pytest.mark.parametrize(
    ("vocals_db", "accompaniment_db"),
    [(0, -60), (-60, 0), (-12, SILENCE), (SILENCE, -0.1), (SILENCE, SILENCE), (12, -87.9)],
)
def test_it_equals_the_core_at_every_level(
    plugin: VST3Plugin, mixture: Mixture, vocals_db: float, accompaniment_db: float
) -> None:
    audio = mixture(20_000)
    plugin.vocals_db, plugin.accompaniment_db = vocals_db, accompaniment_db
    expected = reference(audio, vocals_db=vocals_db, accompaniment_db=accompaniment_db)
    np.testing.assert_array_equal(plugin(audio, 44_100), expected)


def test_it_equals_the_stem_mixer(plugin: VST3Plugin, mixture: Mixture) -> None:
    stem_mixer = pytest.importorskip("pyvocsep.effects.stem_mixer").StemMixer
    audio = mixture(30_000)
    for vocals_db, accompaniment_db in [(0.0, -60.0), (-6.5, SILENCE), (3.3, -0.7)]:
        plugin.vocals_db, plugin.accompaniment_db = vocals_db, accompaniment_db
        effect = stem_mixer(vocals_db, accompaniment_db)
        np.testing.assert_array_equal(plugin(audio, 44_100), effect(audio, 44_100))
    for processor in (plugin, effect):
        processor.reset()
        processor.process(audio[:, :10_000], 44_100, reset=False)
        processor.vocals_db = -20.0  # from the next sample on it moves there, within a hop
    np.testing.assert_array_equal(
        plugin.process(audio[:, 10_000:], 44_100, reset=False),
        effect.process(audio[:, 10_000:], 44_100, reset=False),
    )


def test_it_is_aligned(plugin: VST3Plugin, mixture: Mixture) -> None:
    plugin.vocals_db = plugin.accompaniment_db = 0
    audio = mixture(50_000)
    assert np.abs(plugin(audio, 44_100) - audio).max() <= np.spacing(np.abs(audio).max())


# pedalboard takes a first block of (2, 1) or (2, 2) for one of another layout.
@settings(max_examples=20)
@given(sizes=st.lists(st.one_of(st.integers(3, 200), st.integers(3, 20_000)), min_size=1, max_size=6))
def test_streaming_equals_offline(plugin: VST3Plugin, mixture: Mixture, sizes: list[int]) -> None:
    audio = mixture(15_000)
    separator = pyvocsep.Separator(44_100, 2)
    plugin.reset()
    longer = np.pad(audio, ((0, 0), (0, separator.latency_samples)))
    output, inside = stream(plugin, longer, sizes)
    assert inside == separator.latency_samples
    np.testing.assert_array_equal(output, reference(audio, **DEFAULT))


@pytest.mark.parametrize("model", ["band-gru", "gru"])
@pytest.mark.parametrize("rate", [8_000, 32_000, 44_100, 88_200, 192_000])
def test_latency_is_that_of_the_rate(plugin: VST3Plugin, mixture: Mixture, rate: int, model: str) -> None:
    plugin.model = model
    _, inside = stream(plugin, mixture(rate // 3, 1, rate), [1_000], rate)
    assert inside == pyvocsep.Separator(rate, 1, model).latency_samples


def test_a_level_changes_without_a_click(plugin: VST3Plugin, mixture: Mixture) -> None:
    plugin.vocals_db = plugin.accompaniment_db = 0
    constant = np.full((1, 20_000), 0.5, np.float32)
    before = plugin.process(constant[:, :10_000], 44_100, reset=False)
    plugin.vocals_db = plugin.accompaniment_db = SILENCE
    after = plugin.process(constant[:, 10_000:], 44_100, reset=False)
    output = np.concatenate([before, after], axis=1)[0]
    assert output[0] == pytest.approx(0.5)
    assert output[-1] == 0
    assert np.abs(np.diff(output)).max() < 1e-3  # half of full scale within a hop of 1024 samples


def test_bypass_is_the_input(plugin: VST3Plugin, mixture: Mixture) -> None:
    audio = mixture(20_000)
    plugin.bypass = True
    np.testing.assert_array_equal(plugin(audio, 44_100), audio)
    np.testing.assert_array_equal(plugin(audio[:1], 48_000), audio[:1])
    plugin.bypass = False
    np.testing.assert_array_equal(plugin(audio, 44_100), reference(audio, **DEFAULT))


def test_bypass_can_be_switched_while_streaming(plugin: VST3Plugin, mixture: Mixture) -> None:
    audio, hop, latency = mixture(30_000), 1_024, 2_048
    expected = reference(audio, **DEFAULT)
    parts = []
    for i, bypassed in enumerate([False, True, False]):
        plugin.bypass = bypassed
        parts.append(plugin.process(audio[:, i * 10_000 : (i + 1) * 10_000], 44_100, reset=False))
    output = np.concatenate(parts, axis=1)
    on, off, end = 10_000 - latency, 20_000 - latency, 30_000 - latency
    for first, last, source in [(0, on, expected), (on + hop, off, audio), (off + hop, end, expected)]:
        np.testing.assert_array_equal(output[:, first:last], source[:, first:last])
    for first in (on, off):  # in between it is between the two
        fading = slice(first, first + hop)
        low, high = np.minimum(audio, expected)[:, fading], np.maximum(audio, expected)[:, fading]
        assert (output[:, fading] >= low - 1e-6).all()
        assert (output[:, fading] <= high + 1e-6).all()


def test_another_model_takes_effect_at_the_next_reset(plugin: VST3Plugin, mixture: Mixture) -> None:
    audio = mixture(20_000)
    for model in ["band-gru", "gru", "band-gru"]:
        plugin.model = model
        np.testing.assert_array_equal(plugin(audio, 44_100), reference(audio, model=model, **DEFAULT))
    plugin.reset()
    begin = plugin.process(audio[:, :10_000], 44_100, reset=False)
    plugin.model = "gru"
    end = plugin.process(audio[:, 10_000:], 44_100, reset=False)
    output = np.concatenate([begin, end], axis=1)
    np.testing.assert_array_equal(output, reference(audio, **DEFAULT)[:, : output.shape[1]])


@pytest.mark.parametrize("kind", ["raw_state", "preset_data"])
def test_state_comes_back(plugin: VST3Plugin, mixture: Mixture, kind: str) -> None:
    audio = mixture(10_000)
    one = vst3.load_vst3(vocals_db=-20, accompaniment_db=1.5, model="gru")
    setattr(plugin, kind, getattr(one, kind))
    assert (plugin.vocals_db, plugin.accompaniment_db, str(plugin.model)) == (-20, 1.5, "gru")
    np.testing.assert_array_equal(plugin(audio, 44_100), one(audio, 44_100))
    plugin.bypass = True
    setattr(one, kind, getattr(plugin, kind))
    assert bool(one.bypass)


def test_a_strange_state_changes_nothing(plugin: VST3Plugin) -> None:
    plugin.vocals_db = -3
    state = plugin.raw_state
    plugin.raw_state = b"nothing that a plugin would say"
    plugin.raw_state = state[: len(state) // 2]
    assert plugin.vocals_db == -3
    assert plugin.raw_state == state


def test_in_boards_beside_others(plugin: VST3Plugin, mixture: Mixture) -> None:
    audio = mixture(40_000)
    plugin.accompaniment_db = SILENCE
    vocals = reference(audio, vocals_db=0, accompaniment_db=SILENCE)
    other = vst3.load_vst3(vocals_db=SILENCE, accompaniment_db=0)
    band = reference(audio, vocals_db=SILENCE, accompaniment_db=0)
    reverberant = pedalboard.Reverb()(vocals, 44_100)

    for board, expected in [
        (pedalboard.Pedalboard([plugin]), vocals),
        (pedalboard.Pedalboard([plugin, pedalboard.Reverb()]), reverberant),
        (pedalboard.Pedalboard([pedalboard.Chain([plugin, pedalboard.Reverb()])]), reverberant),
        (pedalboard.Pedalboard([pedalboard.Mix([plugin, other])]), vocals + band),
        (
            pedalboard.Pedalboard([pedalboard.Mix([pedalboard.Chain([plugin, pedalboard.Reverb()]), other])]),
            reverberant + band,
        ),
    ]:
        np.testing.assert_array_equal(board(audio, 44_100), expected)


def test_instances_in_threads(mixture: Mixture) -> None:
    audio = mixture(30_000)
    settings = [(level, model) for level in (0.0, -6.5, -20.0) for model in ("band-gru", "gru")]
    plugins = [vst3.load_vst3(vocals_db=level, model=model) for level, model in settings]
    with ThreadPoolExecutor(len(plugins)) as pool:
        outputs = list(pool.map(lambda plugin: plugin(audio, 44_100), plugins * 2))
    for (level, model), first, second in zip(
        settings, outputs[: len(plugins)], outputs[len(plugins) :], strict=True
    ):
        expected = reference(audio, model=model, vocals_db=level, accompaniment_db=-60)
        np.testing.assert_array_equal(first, expected)
        np.testing.assert_array_equal(second, expected)


LIVE = """
import numpy as np, pedalboard, pyvocsep
from pedalboard.io import AudioStream
if "Quiet" in AudioStream.output_device_names:
    board = pedalboard.Pedalboard([pyvocsep.load_vst3(), pedalboard.Gain(-6)])
    with AudioStream(output_device_name="Quiet", plugins=board, sample_rate=44_100) as stream:
        stream.write(np.zeros((2, 44_100), np.float32), 44_100)
        print("live" if stream.running else "stopped")
"""


def test_it_runs_in_an_audio_stream(tmp_path: Path) -> None:
    """ALSA's null device takes the place of a sound card."""
    (tmp_path / ".asoundrc").write_text('pcm.quiet { type null hint { show on description "Quiet" } }')
    command = [sys.executable, "-c", LIVE]
    home = {**os.environ, "HOME": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, env=home, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    if not result.stdout:
        pytest.skip("no ALSA on this machine")
    assert result.stdout == "live\n"


def test_in_another_thread_it_says_what_to_do() -> None:
    script = """
import threading
import numpy as np
import pyvocsep
plugin = pyvocsep.load_vst3()
audio = np.ones((2, 9000), np.float32)
said, heard = [], []
def other():
    try:
        pyvocsep.load_vst3()
    except RuntimeError as error:
        said.append(str(error))
    heard.append(plugin.process(audio, 44100, reset=False))
thread = threading.Thread(target=other)
thread.start()
thread.join()
assert "main thread" in said[0] and "reset=False" in said[0] and "StemMixer" in said[0], said
assert heard[0].shape[1] > 0
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("rate", [352_800, 384_000, 4_000])
def test_at_rates_that_cannot_be_separated_the_sound_goes_through(mixture, rate: int) -> None:
    audio = mixture(60_000, 2, 44_100)
    plugin = pyvocsep.load_vst3(vocals_db=-20)
    np.testing.assert_array_equal(plugin(audio, rate), audio)
    plugin = pyvocsep.load_vst3(vocals_db=-20)
    parts = [plugin.process(block, rate, reset=False) for block in np.split(audio, 30, axis=1)]
    heard = audio.shape[1] - round(2048 * rate / 44_100)  # how much of the silence before is left out varies
    np.testing.assert_array_equal(np.concatenate(parts, axis=1)[:, -heard:], audio[:, :heard])
    assert plugin.vocals_db == -20
