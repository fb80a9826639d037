"""The VST3 plugin: the effect for hosts that are not Python, and for real `pedalboard.Pedalboard` chains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyvocsep.plugins.bundles import VST3, bundle_path

if TYPE_CHECKING:
    from pedalboard import VST3Plugin


def vst3_path() -> Path:
    """Return the plugin's bundle, the folder `pyvocsep.vst3`.

    `pyvocsep-plugins install` puts a copy of it where other programs look for plugins. (The bundle uses the
    weights of this package: a copy of it elsewhere needs them in its `Contents/Resources`.)

    Raises FileNotFoundError if this installation was built without the plugin.
    """
    return bundle_path(VST3)


def load_vst3(
    *,
    vocals_db: float = 0.0,
    accompaniment_db: float = -60.0,
    model: str = "band-gru",
    bypass: bool = False,
) -> VST3Plugin:
    """Load the plugin into pedalboard: the result goes where any of pedalboard's own plugins goes.

    Args:
        vocals_db: the vocals' level in dB, from -87.9 to 12, taken to the nearest tenth; -inf is silence.
        accompaniment_db: the accompaniment's.
        model: "band-gru" or "gru". A later change takes effect at the next call that resets.
        bypass: True gives the input, as late as the output is else.

    The arguments are attributes of the result, too. With the same settings its output is that of `StemMixer`,
    to the bit. One plugin serves one stream; load one for each::

        board = pedalboard.Pedalboard([load_vst3(accompaniment_db=-20), pedalboard.Reverb()])

    Raises:
        ImportError: pedalboard is not installed, or cannot load the plugin.
        FileNotFoundError: this installation was built without the plugin.
        ValueError: a level is out of range, an unknown model.
        RuntimeError: another thread than the one in which pedalboard loaded its first VST3 plugin.

    pedalboard loads plugins in one thread only, and resets them only there: a call in another thread needs
    `reset=False`. `StemMixer` has no such limits. In a stream, the plugin in a `pedalboard.Mix` is later than
    the branches beside it, since pedalboard aligns them in whole recordings alone; in a `pyvocsep.Board` a
    `Mix` is aligned. Above 192 kHz and below 8 kHz the sound goes through as it is, late by the latency.
    """
    path = vst3_path()
    try:
        from pedalboard import VST3Plugin
    except ImportError as error:
        raise ImportError(
            "load_vst3 needs pedalboard, which is not installed: pip install pyvocsep[pedalboard]"
        ) from error
    try:
        return VST3Plugin(
            str(path),
            parameter_values={
                "vocals_db": vocals_db,
                "accompaniment_db": accompaniment_db,
                "model": model,
                "bypass": bypass,
            },
        )
    except RuntimeError as error:
        if "main thread" not in str(error):
            raise
        raise RuntimeError(
            "pedalboard loads all its VST3 plugins in one thread, the first in which one was loaded; this is "
            "another. Call load_vst3 there, best in the main thread before others start, and hand the plugin "
            "on: process(audio, sample_rate, reset=False) works in any thread. StemMixer does so in any case"
        ) from error
