"""`python -m pyvocsep.live`: separate what a sound card hears, or a file, while it plays."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pyvocsep.engines.registry import PRECISIONS
from pyvocsep.errors import AudioFileError
from pyvocsep.live import devices
from pyvocsep.live.controls import HELP, Controls, latency_line, status_line
from pyvocsep.live.errors import LiveError
from pyvocsep.live.keys import keyboard, pressed
from pyvocsep.live.mixer import LiveMixer
from pyvocsep.live.playback import Playback
from pyvocsep.live.session import Route, Session
from pyvocsep.models import DEFAULT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 if it played, 1 if it could not, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        portaudio = devices.load_portaudio()
        if options.list:
            print(devices.table(portaudio))
            return 0
        _play(portaudio, options)
    except KeyboardInterrupt:
        print()
    except (LiveError, AudioFileError, OSError, ValueError) as error:
        print(f"pyvocsep.live: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pyvocsep.live",
        description="Separate what comes in from a sound card, or a file, and play it with other levels.",
        epilog=f"Keys while it plays: {HELP}",
    )
    add = parser.add_argument
    add("--list", action="store_true", help="list the sound devices")
    add("--input", metavar="DEVICE|FILE", help="a device, by number or part of its name, or a file")
    add("--output", metavar="DEVICE", help="a device, by number or part of its name")
    add("--vocals", type=_level, default=0.0, metavar="DB", help="level, or off (%(default)g)")
    add("--accompaniment", type=_level, default=0.0, metavar="DB", help="level, or off (%(default)g)")
    add("--bypass", action="store_true", help="begin with the input as it is")
    add("--model", default=DEFAULT, help="one that streams (%(default)s)")
    add("--precision", choices=PRECISIONS, default=PRECISIONS[0], help="(%(default)s)")
    add("--rate", type=float, metavar="HZ", help="the output device's usual one, or the file's")
    add(
        "--block", type=int, default=512, metavar="FRAMES", help="of the driver; 0: as it likes (%(default)s)"
    )
    add("--seconds", type=float, default=math.inf, help="stop after so long")
    return parser


def _level(text: str) -> float:
    level = -math.inf if text == "off" else float(text)
    if not level <= 60:
        raise argparse.ArgumentTypeError(f"{text} is above 60 dB")
    return level


def _play(portaudio: object, options: argparse.Namespace) -> None:
    controls = Controls(options.vocals, options.accompaniment)
    controls.bypassed = options.bypass

    def make_mixer(rate: float, channels: int) -> LiveMixer:
        return LiveMixer(rate, channels, options.model, options.precision, *controls.levels_db)

    with ExitStack() as stack:
        playback = None
        if options.input is not None and Path(options.input).is_file():
            playback = stack.enter_context(Playback(options.input))
            playback.wait_until_ready()
        route = Route(None if playback else options.input, options.output, options.rate, options.block)
        session = Session(portaudio, route, make_mixer, playback)
        has_keys = stack.enter_context(keyboard())
        began = time.monotonic()
        announced = False

        def each_look(session: Session) -> bool:
            nonlocal announced
            if not announced and session.mixer is not None:
                announced = True
                print(latency_line(session) + (f"\n{HELP}" if has_keys else ""))
            for key in pressed() if has_keys else []:
                controls.press(key)
            controls.apply(session)
            _show(status_line(session, controls))
            return not controls.quits and time.monotonic() - began < options.seconds

        try:
            session.run(each_look)
        finally:
            if sys.stdout.isatty():
                print()
        if session.mixer is not None:
            print(_summary(session))
        if playback is not None and playback.error is not None:
            raise playback.error


def _show(line: str) -> None:
    """Write over the last line, where there is a terminal."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:{width}}", end="", flush=True)


def _summary(session: Session) -> str:
    mixer = session.mixer
    assert mixer is not None
    return (
        f"{mixer.frames / mixer.sample_rate:.1f} s played, {session.xruns} xruns, "
        f"load {mixer.load:.1%}, worst block {mixer.worst_load:.0%}, {session.reconnections} reconnections"
    )


if __name__ == "__main__":
    sys.exit(main())
