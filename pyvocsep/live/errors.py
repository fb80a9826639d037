"""What keeps the live command from playing, as a sentence."""

from __future__ import annotations


class LiveError(RuntimeError):
    """Live separation is not possible; the message says what is missing and what to do."""
