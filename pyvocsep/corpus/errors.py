"""What keeps a corpus from being separated, as a sentence."""

from __future__ import annotations


class CorpusError(RuntimeError):
    """The run cannot begin or go on; the message says why and what to do."""
