"""Data sets for training and evaluation: what folders hold, and the samples in them."""

from pyvocsep.datasets.decoder import Decoder
from pyvocsep.datasets.recordings import SUFFIXES, Pair, Track, instrumentals, mir1k, musdb
from pyvocsep.datasets.voices import INDEX, OPEN, Clip, Singer, voices

__all__ = [
    "INDEX",
    "OPEN",
    "SUFFIXES",
    "Clip",
    "Decoder",
    "Pair",
    "Singer",
    "Track",
    "instrumentals",
    "mir1k",
    "musdb",
    "voices",
]
