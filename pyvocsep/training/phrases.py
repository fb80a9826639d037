"""Sung phrases made of single notes, directly as spectra.

Most dry singing that may be used is a singer's syllables on one note. Here a singer gets a melody, and
pieces of such clips are moved to its notes by the length of their analysis frames (see :mod:`.grid`), with
glides, vibrato, rests and breaths between them. Clips that are phrases already are taken as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from pyvocsep.datasets import Clip, Decoder, Singer, Track
from pyvocsep.grid import Grid, Spectra, analyse

LARGEST_MOVE = 5.0
"""Semitones; a voice moved further sounds like a tape at the wrong speed."""

SCALES = (
    (0, 2, 4, 5, 7, 9, 11),  # major
    (0, 2, 3, 5, 7, 8, 10),  # minor
    (0, 2, 4, 7, 9),  # pentatonic
    (0, 3, 5, 6, 7, 10),  # blues
)
_HARMONIES = (2, 4, -3, -5, 0)  # steps of the scale: a third or fifth above, or below, or a second take
_NEAREST = 12  # clips that a note chooses from

Ratios = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Note:
    """A step of the scale, ``degree``, from frame ``first`` on for ``count`` frames."""

    first: int
    count: int
    degree: int


@dataclass(frozen=True)
class Melody:
    """Notes as steps of a scale, whose step 0 is ``tonic`` Hz."""

    notes: Sequence[Note]
    scale: Sequence[int]
    tonic: float

    def pitch(self, degree: int) -> float:
        """Of a step of the scale, in Hz."""
        octave, step = divmod(degree, len(self.scale))
        return self.tonic * float(2 ** (octave + self.scale[step] / 12))


class Phrases:
    """Makes phrases of ``frames`` frames on ``grid`` from the clips of ``singers``."""

    def __init__(self, singers: Sequence[Singer], grid: Grid, frames: int, decoder: Decoder):
        self.singers = list(singers)
        self.grid = grid
        self.frames = frames
        self.decoder = decoder
        # Singers with many clips are heard more often, but not in proportion.
        share = np.sqrt([sum(clip.end - clip.start for clip in singer.clips) for singer in singers])
        self.share = share / share.sum()

    def sing(self, rng: np.random.Generator, second_voice: float, ratio: float) -> tuple[Spectra, int]:
        """A phrase (1, frames, bins), scaled by 2/frame, and how many of its lower bins hold signal.

        A second voice joins with the probability ``second_voice``. ``ratio`` stretches the frames of clips
        that are phrases already.
        """
        singer = self.singers[rng.choice(len(self.singers), p=self.share)]
        spectra = np.zeros((1, self.frames, self.grid.bins), np.complex64)
        pitched = [clip for clip in singer.clips if clip.f0 > 0 and not clip.phrase]
        if not pitched:
            return spectra, self._recite(rng, spectra, singer.clips, ratio)
        melody = self._melody(rng, np.array([clip.f0 for clip in pitched]))
        limit = self._perform(rng, spectra, singer, melody, 0)
        if rng.random() < second_voice:
            second = np.zeros_like(spectra)
            limit = min(limit, self._perform(rng, second, singer, melody, int(rng.choice(_HARMONIES))))
            spectra += second * np.float32(10 ** (rng.uniform(-12, 0) / 20))
        return spectra, limit

    def _seconds(self, frames: float) -> float:
        return frames * self.grid.hop / self.grid.sample_rate

    def _frames(self, seconds: float) -> int:
        return max(1, round(seconds * self.grid.sample_rate / self.grid.hop))

    def _melody(self, rng: np.random.Generator, pitches: Ratios) -> Melody:
        """A random walk in a random scale, through the range of the singer's clips and a little beyond."""
        scale = SCALES[rng.integers(len(SCALES))]
        middle = float(np.exp(np.median(np.log(pitches))))
        melody = Melody([], scale, middle * 2 ** (rng.uniform(-6, 6) / 12))
        beyond = 2 ** (LARGEST_MOVE / 12)
        low, high = np.quantile(pitches, 0.1) / beyond, np.quantile(pitches, 0.9) * beyond
        notes: list[Note] = []
        frame = int(rng.integers(0, self._frames(0.8)))
        degree = int(rng.integers(-2, 3))
        while frame < self.frames:
            count = self._frames(float(np.exp(rng.uniform(np.log(0.3), np.log(1.6)))))
            notes.append(Note(frame, min(count, self.frames - frame), degree))
            frame += count
            if rng.random() < 0.2:
                frame += self._frames(rng.uniform(0.1, 0.9))
            step = int(rng.choice((-4, -2, -1, -1, 0, 1, 1, 2, 4)))
            if not low <= melody.pitch(degree + step) <= high:
                step = -step
            if low <= melody.pitch(degree + step) <= high:
                degree += step
        return Melody(notes, scale, melody.tonic)

    def _perform(
        self, rng: np.random.Generator, spectra: Spectra, singer: Singer, melody: Melody, shift: int
    ) -> int:
        limit, before, end = self.grid.bins, 0.0, 0
        for note in melody.notes:
            pitch = melody.pitch(note.degree + shift)
            clip, ratio = choose(rng, singer.clips, pitch)
            ratios = np.full(note.count, ratio)
            if before and note.first == end and rng.random() < 0.35:
                # From the note before, as far as a voice can be moved.
                start = np.clip(np.log2(before / pitch) * 12, -LARGEST_MOVE, LARGEST_MOVE)
                length = min(note.count, int(rng.integers(2, 7)))
                ratios[:length] *= 2 ** (start * np.linspace(1, 0, length, endpoint=False) / 12)
            if rng.random() < 0.25:
                phase = 2 * np.pi * rng.uniform(4.5, 7) * self._seconds(1) * np.arange(note.count)
                ratios *= 2 ** (rng.uniform(0.2, 0.7) * np.sin(phase + rng.uniform(0, 6.3)) / 12)
            if note.first > end and rng.random() < 0.35:
                self._breathe(rng, spectra, end, note.first)
            gain = 10 ** (rng.normal(0, 2) / 20)
            own = spectra[:, note.first : note.first + note.count]
            limit = min(limit, self._render(own, clip, rng.random(), ratios))
            own *= np.float32(gain)
            before, end = pitch, note.first + note.count
        return limit

    def _recite(self, rng: np.random.Generator, spectra: Spectra, clips: Sequence[Clip], ratio: float) -> int:
        """Whole phrases, one after another, from somewhere within the first one."""
        limit, frame, place = self.grid.bins, 0, rng.random()
        while frame < self.frames:
            clip = clips[int(rng.integers(len(clips)))]
            length = self._frames((clip.end - clip.start) * (1 - place) / ratio)
            own = spectra[:, frame : frame + length]
            limit = min(limit, self._render(own, clip, place, np.full(own.shape[1], ratio), cut=False))
            frame += length + self._frames(rng.uniform(0.1, 1.2))
            place = 0.0
        return limit

    def _render(self, spectra: Spectra, clip: Clip, place: float, ratios: Ratios, cut: bool = True) -> int:
        """Write a clip into ``spectra`` (1, frames, bins), each frame analysed at a length of its own.

        It begins at ``place``, in [0, 1], of what the clip has to spare (``cut``) or of the whole clip.
        Silence follows where the clip ends early. Returns the number of bins that hold signal.
        """
        track = Track(clip.path)
        rate = self.decoder.open(track)[1]
        # Rates in steps of 10 Hz, under half a cent, repeat from note to note: their frames are cached.
        lengths = np.array([self.grid.frame_length(round(rate * ratio, -1)) for ratio in ratios])
        hops = lengths // self.grid.overlap
        starts = np.concatenate([[0], np.cumsum(hops[:-1])])
        needed, available = int(starts[-1] + lengths[-1]), int((clip.end - clip.start) * rate)
        spare = max(available - needed, 0) if cut else available
        begin = int(place * spare)
        count = int(np.searchsorted(starts + lengths, available - begin, side="right"))
        if count == 0:
            return self.grid.bins
        used = int(starts[count - 1] + lengths[count - 1])
        audio = self.decoder.excerpt(track, int(clip.start * rate) + begin, used).mean(0, keepdims=True)
        limit, first = self.grid.bins, 0
        for length, run in groupby(lengths[:count]):
            last = first + sum(1 for _ in run)
            part = audio[:, starts[first] : starts[last - 1] + length]
            found = analyse(part, length, length // self.grid.overlap)[..., : self.grid.bins]
            spectra[:, first:last, : found.shape[-1]] = found * np.float32(2 / length)
            limit, first = min(limit, found.shape[-1]), last
        return limit

    def _breathe(self, rng: np.random.Generator, spectra: Spectra, low: int, high: int) -> None:
        """Noise shaped like breath, in the end of the rest before a note."""
        count = min(high - low, self._frames(rng.uniform(0.12, 0.45)))
        bins = spectra.shape[-1]
        hertz = np.arange(bins) * self.grid.sample_rate / self.grid.n_fft + 1.0
        octaves = np.log2(hertz / rng.uniform(1200, 3500)) / rng.uniform(0.8, 1.6)
        swell = np.sin(np.pi * (np.arange(count) + 0.5) / count)
        shape = swell[:, None] * np.exp(-(octaves**2))
        noise = rng.standard_normal((count, bins, 2), np.float32).view(np.complex64)[..., 0]
        # About 35 to 15 dB below the singing, whose packs are evened to -20 dBFS or so.
        level = 10 ** (rng.uniform(-55, -35) / 20) / np.sqrt(np.square(shape).sum(1).max())
        spectra[0, high - count : high] += noise * (shape * level).astype(np.float32)


def choose(rng: np.random.Generator, clips: Sequence[Clip], pitch: float) -> tuple[Clip, float]:
    """A clip near ``pitch`` in Hz, and by how much longer its frames must be to lie on it.

    A clip without a pitch of its own, a consonant or a whisper, is taken now and then, unmoved; beyond
    ``LARGEST_MOVE`` semitones a clip is moved that far and no further.
    """
    f0 = np.array([clip.f0 for clip in clips])
    unclear = np.flatnonzero(f0 <= 0)
    if len(unclear) and rng.random() < len(unclear) / len(f0):
        return clips[int(rng.choice(unclear))], 1.0
    moves = np.where(f0 > 0, 12 * np.log2(pitch / np.maximum(f0, 1e-3)), np.inf)
    near = np.argsort(np.abs(moves), kind="stable")[: min(_NEAREST, len(f0) - len(unclear))]
    within = near[np.abs(moves[near]) <= LARGEST_MOVE]
    chosen = int(rng.choice(within if len(within) else near[:1]))
    move = float(np.clip(moves[chosen], -LARGEST_MOVE, LARGEST_MOVE))
    return clips[chosen], 2 ** (move / 12)
