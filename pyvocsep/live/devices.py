"""PortAudio and its devices, and sentences for what is missing."""

from __future__ import annotations

from typing import Any

from pyvocsep.live.errors import LiveError


def load_portaudio() -> Any:
    """Return the module `sounddevice`.

    LiveError, saying what to install, where it or PortAudio is missing.
    """
    try:
        import sounddevice  # type: ignore[import-untyped]
    except ImportError:
        raise LiveError('the live command needs sounddevice: pip install "pyvocsep[live]"') from None
    except OSError as error:
        raise LiveError(
            f"sounddevice does not find the library PortAudio ({error}): "
            "on Debian and Ubuntu, apt install libportaudio2"
        ) from None
    return sounddevice


def table(portaudio: Any) -> str:
    """Return the devices, one a line: number, channels in and out, usual rate, name."""
    default_input, default_output = portaudio.default.device
    lines = ["     in out     Hz  name"]
    for number, device in enumerate(portaudio.query_devices()):
        marks = (">" if number == default_input else " ") + ("<" if number == default_output else " ")
        lines.append(
            f"{marks}{number:2} {device['max_input_channels']:3} {device['max_output_channels']:3} "
            f"{device['default_samplerate']:6.0f}  {device['name']}"
        )
    if len(lines) == 1:
        return "There is no sound device."
    return "\n".join([*lines, "> default input, < default output"])


def find(portaudio: Any, wanted: str | None, kind: str) -> dict[str, Any]:
    """Return the device of a kind, "input" or "output": the default, or by number or part of its name.

    LiveError where there is none.
    """
    key = int(wanted) if wanted is not None and wanted.isdecimal() else wanted
    try:
        device = dict(portaudio.query_devices(key, kind))
    except (ValueError, portaudio.PortAudioError) as error:
        if wanted is None:
            raise LiveError(
                f"there is no {kind} device: connect a sound card; --list shows what there is"
            ) from None
        raise LiveError(f"no {kind} device {wanted!r} ({error}); --list shows what there is") from None
    if device[f"max_{kind}_channels"] < 1:
        raise LiveError(f"the device {device['name']!r} has no {kind}; --list shows what there is")
    return device
