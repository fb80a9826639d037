"""Make a song for someone who has none at hand: a synthetic voice over guitar, bass and drums.

    python examples/make_song.py song.wav [--seconds S] [--stems]

The same every time; 44.1 kHz stereo. Needs numpy and soundfile only. The format follows the suffix (wav,
flac, ogg, mp3, aiff). `--stems` also writes the two true stems, song.true_vocals.wav and
song.true_accompaniment.wav, which sum to the song: a separator can be measured against them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Audio = NDArray[np.float64]

RATE = 44_100
BEAT = 60 / 96
"""Seconds: 96 beats a minute."""

CHORDS = [(57, 60, 64), (53, 57, 60), (48, 55, 64), (55, 59, 62)]
"""MIDI notes of the four bars: A minor, F, C, G."""

MELODY = [
    # beat, beats, MIDI note, consonant, vowel
    (0.5, 0.5, 69, "l", "a"),
    (1.0, 1.0, 72, "m", "a"),
    (2.0, 0.5, 71, "s", "o"),
    (2.5, 1.0, 69, "t", "i"),
    (4.0, 1.5, 69, "n", "e"),
    (5.5, 0.5, 67, "m", "a"),
    (6.0, 1.4, 65, "l", "o"),
    (8.5, 0.5, 67, "s", "a"),
    (9.0, 1.0, 72, "r", "e"),
    (10.0, 0.5, 74, "m", "i"),
    (10.5, 1.2, 76, "n", "o"),
    (12.0, 2.0, 74, "s", "a"),
    (14.0, 1.5, 71, "l", "u"),
]

FORMANTS = {
    "a": (800, 1200, 2800, 3500, 4500),
    "e": (450, 2000, 2700, 3500, 4500),
    "i": (320, 2300, 2900, 3600, 4500),
    "o": (450, 850, 2700, 3400, 4500),
    "u": (350, 700, 2600, 3400, 4500),
    "m": (250, 1100, 2300, 3300, 4500),
}
"""Hz, of sung vowels; "m" stands for the closed mouth of all voiced consonants."""

HIGHER_FORMANTS = np.arange(5_500.0, 18_000.0, 1_000.0)
"""Hz, of all vowels: a tract of 17 cm resonates at every kilohertz; without these the voice ends at 5 kHz."""

VOICED = "mnlr"
HISSES = {"s": (5_000, 9_500, 0.11), "t": (2_500, 8_000, 0.03)}
"""Of the consonants without voice: the band of their noise in Hz and their length in seconds."""

CONTROL = 128
"""Samples per step of the slow curves: pitch, loudness, formants."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Synthesise a song, to try a separator on.")
    parser.add_argument("song", type=Path, help="the file to write")
    parser.add_argument("--seconds", type=float, default=12.0, help="its length (%(default)s)")
    parser.add_argument("--stems", action="store_true", help="write the true stems as well")
    options = parser.parse_args()
    if options.song.suffix[1:].upper() not in soundfile.available_formats():
        parser.error(f"{options.song}: the suffix names no format; try .wav, .flac, .ogg, .mp3 or .aiff")
    if options.seconds < 1:
        parser.error("a song takes a second at least")
    vocals, accompaniment = make_song(options.seconds)
    write(options.song, vocals + accompaniment)
    if options.stems:
        write(options.song.with_suffix(f".true_vocals{options.song.suffix}"), vocals)
        write(options.song.with_suffix(f".true_accompaniment{options.song.suffix}"), accompaniment)


def make_song(seconds: float) -> tuple[Audio, Audio]:
    """Return vocals and accompaniment, (2, samples) each, whose sum peaks at 0.9."""
    samples = round(seconds * RATE)
    rng = np.random.default_rng(1)
    vocals = 0.9 * in_a_room(sing(samples, rng), rng)
    accompaniment = play_guitar(samples, rng) + play_bass(samples) + play_drums(samples, rng)
    fade = np.clip((samples - np.arange(samples)) / (0.5 * RATE), 0, 1)
    gain = 0.9 * fade / np.abs((vocals + accompaniment) * fade).max()
    return vocals * gain, accompaniment * gain


def write(path: Path, audio: Audio) -> None:
    """Write (2, samples) in the format of the suffix."""
    with soundfile.SoundFile(path, "w", RATE, 2) as file:
        for start in range(0, audio.shape[1], RATE):  # the Vorbis encoder dislikes more at once
            file.write(audio[:, start : start + RATE].T)


# The voice


def sing(samples: int, rng: np.random.Generator) -> Audio:
    """Return the voice, (samples,): harmonics of a gliding, vibrating pitch, shaped by moving formants.

    The source-filter model of singing, computed in frequency: the glottal source falls by 6 dB per octave
    once the lips have radiated it, and each formant is a resonance (Fant, Acoustic Theory of Speech
    Production, 1960).
    """
    steps = samples // CONTROL + 2
    pitch, formants, loudness, vibrato = curves(steps)
    time = np.arange(steps) * CONTROL / RATE
    wander = smooth(rng.standard_normal(steps), 0.3)
    pitch = pitch + 0.6 * vibrato * np.sin(2 * np.pi * 5.6 * time) + 0.8 * wander
    frequency = 440 * 2 ** ((pitch - 69) / 12)

    at = np.arange(samples) / CONTROL
    grid = np.arange(steps)
    phase = 2 * np.pi * np.cumsum(np.interp(at, grid, frequency)) / RATE
    voice = np.zeros(samples)
    for harmonic in range(1, int(RATE / 2 / frequency.min())):
        hertz = harmonic * frequency
        level = vocal_tract(hertz, formants) / harmonic * np.clip((18_000 - hertz) / 4_000, 0, 1)
        if level.max() > 1e-5:
            voice += np.interp(at, grid, level * loudness) * np.sin(harmonic * phase)
    breath = noise_band(samples, 2_000, 9_000, rng) * np.interp(at, grid, loudness)
    voice = voice / np.abs(voice).max() + 0.006 * breath
    return np.asarray(voice + consonants(samples, rng))


def curves(steps: int) -> tuple[Audio, Audio, Audio, Audio]:
    """Return the melody's pitch (MIDI notes), formants (steps, 5), loudness and depth of vibrato."""
    pitch = np.full(steps, 69.0)
    formants = np.tile(np.array(FORMANTS["a"], float), (steps, 1))
    loudness, vibrato = np.zeros(steps), np.zeros(steps)

    def step(seconds: float) -> int:
        return round(seconds * RATE / CONTROL)

    for start, length, note, consonant, vowel in melody(steps * CONTROL / RATE):
        opening = start + (0.07 if consonant in VOICED else HISSES[consonant][2])
        begin, open_, end = step(start), step(opening), step(start + length)
        pitch[begin:] = note  # holds through the rest after it
        formants[begin:open_] = FORMANTS["m"]
        formants[open_:] = FORMANTS[vowel]
        loudness[begin:open_] = 0.35 if consonant in VOICED else 0.0
        loudness[open_:end] = np.linspace(1.0, 0.75, max(0, min(end, steps) - open_))
        loudness[step(start + length - 0.04) : end] = 0.0
        vibrato[step(start + 0.25) : end] = 1.0
    return smooth(pitch, 0.07), smooth(formants, 0.06), smooth(loudness, 0.05), smooth(vibrato, 0.3)


def vocal_tract(hertz: Audio, formants: Audio) -> Audio:
    """Return the gain of the vocal tract at one frequency per step: a product of resonances, 1 at 0 Hz."""
    gain = np.ones(len(hertz))
    for center in (*formants.T, *HIGHER_FORMANTS):
        bandwidth = 60 + center / 25
        gain *= center**2 / np.hypot(center**2 - hertz**2, bandwidth * hertz)
    return gain


def consonants(samples: int, rng: np.random.Generator) -> Audio:
    """Return the hisses and clicks of the melody, (samples,)."""
    out = np.zeros(samples)
    for start, _, _, consonant, _ in melody(samples / RATE):
        if consonant in HISSES:
            low, high, length = HISSES[consonant]
            hiss = noise_band(round(length * RATE), low, high, rng)
            add(out, start, 0.12 * hiss * np.hanning(len(hiss)))
    return out


def melody(seconds: float) -> list[tuple[float, float, int, str, str]]:
    """Return the notes that fit, with their start and length in seconds."""
    notes = []
    for verse in range(int(seconds / (16 * BEAT)) + 1):
        for beat, beats, note, consonant, vowel in MELODY:
            start, length = (16 * verse + beat) * BEAT, beats * BEAT
            if start + length < seconds:
                notes.append((start, length, note, consonant, vowel))
    return notes


# The band


def play_guitar(samples: int, rng: np.random.Generator) -> Audio:
    """Return broken chords on plucked strings, spread over the stereo image, (2, samples)."""
    out = np.zeros((2, samples))
    for eighth in range(int(samples / RATE / (BEAT / 2)) + 1):
        chord = CHORDS[eighth // 8 % 4]
        strings = (0, 1, 2) if eighth % 8 == 0 else ((0, 2, 1, 2, 0, 1, 2, 1)[eighth % 8],)
        for string in strings:
            sound = 0.22 * pluck(chord[string], 1.6, rng)
            out += placed(samples, eighth * BEAT / 2, sound, (0.8, 0.5, 0.25)[string])
    return out


def pluck(note: int, seconds: float, rng: np.random.Generator) -> Audio:
    """Return a plucked string, peak 1 (K. Karplus and A. Strong, Computer Music Journal 7:2, 1983).

    A burst of noise circulates in a delay line of one period; each time round it is averaged with its
    neighbour, so high harmonics die first.
    """
    period = round(RATE / hertz_of(note))
    line = rng.uniform(-1, 1, period)
    line = smooth(line - line.mean(), 4 * CONTROL / RATE)
    periods = []
    for _ in range(int(seconds * RATE / period)):
        periods.append(line)
        line = 0.498 * (line + np.roll(line, 1))
    tone = np.concatenate(periods)
    tone *= np.clip((len(tone) - np.arange(len(tone))) / 2000, 0, 1)
    return np.asarray(tone / np.abs(tone).max())


def play_bass(samples: int) -> Audio:
    """Return the roots of the chords in a steady rhythm, in the middle, (2, samples)."""
    out = np.zeros(samples)
    for beat in range(int(samples / RATE / BEAT) + 1):
        root = hertz_of(CHORDS[beat // 4 % 4][0] - 12)
        for offset, length in ((0.0, 0.7), (0.75, 0.25)) if beat % 2 else ((0.0, 0.95),):
            time = np.arange(round(length * BEAT * RATE)) / RATE
            tone = sum(np.sin(2 * np.pi * k * root * time) * np.exp(-3 * k * time) / k for k in range(1, 9))
            tone *= np.clip(time / 0.005, 0, 1) * np.clip((time[-1] - time) / 0.02, 0, 1)
            add(out, (beat + offset) * BEAT, 0.3 * tone)
    return np.stack([out, out])


def play_drums(samples: int, rng: np.random.Generator) -> Audio:
    """Return kick, snare and hi-hat, (2, samples)."""
    time = np.arange(round(0.35 * RATE)) / RATE
    sweep = 2 * np.pi * np.cumsum(48 + 110 * np.exp(-30 * time)) / RATE
    kick = np.sin(sweep) * np.exp(-9 * time)
    out = np.zeros((2, samples))
    for eighth in range(int(samples / RATE / (BEAT / 2)) + 1):
        start = eighth * BEAT / 2
        if eighth % 8 in (0, 3, 4):
            out += placed(samples, start, 0.55 * kick, 0.5)
        if eighth % 4 == 2:
            snap = noise_band(len(time), 1_200, 12_000, rng) * np.exp(-16 * time)
            body = np.sin(2 * np.pi * 185 * time) * np.exp(-22 * time)
            out += placed(samples, start, 0.16 * snap + 0.3 * body, 0.45)
        tick = noise_band(len(time), 6_500, 16_000, rng) * np.exp(-(18 if eighth % 2 else 45) * time)
        out += placed(samples, start, 0.07 * tick, 0.65)
    return out


# Tools


def hertz_of(note: float) -> float:
    """Return the frequency of a MIDI note."""
    return float(440 * 2 ** ((note - 69) / 12))


def add(out: Audio, start: float, sound: Audio) -> None:
    """Add a sound to `out` from `start` (seconds) on; what reaches beyond the end is cut."""
    begin = round(start * RATE)
    end = min(len(out), begin + len(sound))
    out[begin:end] += sound[: max(0, end - begin)]


def placed(samples: int, start: float, sound: Audio, pan: float) -> Audio:
    """Return silence (2, samples) with a sound in it, between right (0) and left (1)."""
    line = np.zeros(samples)
    add(line, start, sound)
    return np.stack([np.sqrt(2 * pan) * line, np.sqrt(2 - 2 * pan) * line])


def smooth(curve: Audio, seconds: float) -> Audio:
    """Return a curve of control steps averaged over a window of so many seconds, along its first axis."""
    width = max(1, round(seconds * RATE / CONTROL)) | 1
    window = np.hanning(width + 2)[1:-1]
    columns = curve.reshape(len(curve), -1).T
    padded = np.pad(columns, [(0, 0), (width // 2, width // 2)], mode="edge")
    out = [np.convolve(column, window / window.sum(), mode="valid") for column in padded]
    return np.stack(out, axis=-1).reshape(curve.shape)


def noise_band(samples: int, low: float, high: float, rng: np.random.Generator) -> Audio:
    """Return noise between two frequencies, with an RMS of 1."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / RATE)
    edges = 1 / (1 + (low / np.maximum(hertz, 1)) ** 8) / (1 + (hertz / high) ** 8)
    noise = np.fft.irfft(spectrum * edges, samples)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def in_a_room(sound: Audio, rng: np.random.Generator) -> Audio:
    """Return a sound (samples,) in the middle of a small reverberant room, (2, samples)."""
    time = np.arange(round(0.9 * RATE)) / RATE
    out = []
    for _ in range(2):
        echo = noise_band(len(time), 200, 6_000, rng) * np.exp(-7 * time) * np.clip(time / 0.02, 0, 1)
        size = len(sound) + len(echo)
        wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)]
        out.append(sound + 0.25 * wet / np.sqrt(np.sum(echo**2)))
    return np.stack(out)


if __name__ == "__main__":
    main()
