"""Mutants of the package that change nothing a caller could see: (module, line, what a part becomes),
and why.
"""

SAME: dict[tuple[str, str, str], str] = {
    (
        "files/flac_frames.py",
        "for position in source.matches(_SYNC, 2, whole.start, whole.end):",
        "3",
    ): "blocks of the search overlap by a byte more",
    ("files/mpeg.py", "return -1", "2"): "no frame: any negative number says so",
}
