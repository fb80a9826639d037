"""Draw the latency as a sum: docs/pictures/latency.svg, from the numbers of the package itself.

python docs/latency_picture.py
"""

from __future__ import annotations

from pathlib import Path

import pyvocsep
from pyvocsep.models import DEFAULT

RATE = 44_100
BLOCK = 512
"""Of a sound card's driver."""
WIDTH, LEFT, TOP, ROW = 860, 150, 46, 44
MILLISECONDS_ACROSS = 110
FONT = 'font-family="sans-serif"'
CORE, DRIVER = "#3f6fb5", "#c9762b"


def parts() -> list[tuple[str, str, float, str]]:
    """Name, remark, seconds and colour of each part of the sum."""
    frame = pyvocsep.Separator(RATE, 2, DEFAULT).latency_samples
    return [
        ("blocks", "any size goes in and comes out", 0.0, CORE),
        ("frame", f"one frame, {frame} samples", frame / RATE, CORE),
        ("look-ahead", f"none in {DEFAULT}", 0.0, CORE),
        ("driver, in", f"live only: a block of {BLOCK}", BLOCK / RATE, DRIVER),
        ("driver, out", f"live only: a block of {BLOCK}", BLOCK / RATE, DRIVER),
    ]


def text(
    x: float, y: float, content: str, size: int = 14, anchor: str = "start", colour: str = "#555"
) -> str:
    """A line of text; its baseline begins, or ends, at (x, y)."""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place} {FONT}>{content}</text>"


def picture() -> str:
    """The drawing as SVG: a row for each part, each bar beginning where the one above ends."""
    scale = (WIDTH - LEFT - 20) / MILLISECONDS_ACROSS
    rows, at = [], 0.0
    whole = {CORE: 0.0, DRIVER: 0.0}
    for i, (name, remark, seconds, colour) in enumerate(parts()):
        y, ms = TOP + i * ROW, 1000 * seconds
        rows.append(text(LEFT - 12, y + 20, name, 15, "end", colour))
        width = max(2.0, ms * scale)
        place = f'x="{LEFT + at * scale:.1f}" y="{y}" width="{width:.1f}" height="28"'
        rows.append(f'<rect {place} rx="3" fill="{colour}"/>')
        label = f"{ms:.1f} ms" if ms else "0"
        if width > 240:  # inside the bar
            rows.append(text(LEFT + at * scale + 10, y + 19, f"{label}: {remark}", 14, colour="#fff"))
        else:
            rows.append(text(LEFT + at * scale + width + 8, y + 19, f"{label}: {remark}", 14))
        at += ms
        whole[colour] += ms
    bottom = TOP + len(parts()) * ROW
    end = LEFT + whole[CORE] * scale
    ends = f'x1="{end:.1f}" y1="{TOP - 8}" x2="{end:.1f}" y2="{bottom}"'
    rows.append(f'<line {ends} stroke="{CORE}" stroke-dasharray="4 4"/>')
    rows.append(text(end, TOP - 16, f"latency_samples: {whole[CORE]:.1f} ms", 15, "middle", CORE))
    rows.append(
        text(
            LEFT + at * scale,
            bottom + 18,
            f"through a sound card: {at:.1f} ms and what it buffers itself",
            15,
            "end",
            DRIVER,
        )
    )
    body = "\n".join(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 30}" role="img">\n'
        f"<title>The latency of {DEFAULT} at {RATE} Hz as a sum of its parts</title>\n{body}\n</svg>\n"
    )


if __name__ == "__main__":
    (Path(__file__).parent / "pictures/latency.svg").write_text(picture(), encoding="utf-8")
