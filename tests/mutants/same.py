"""Mutants of the package that change nothing a caller could see: (module, before, after) and why."""

SAME: dict[tuple[str, str, str], str] = {}
