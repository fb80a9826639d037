/* The limits of the library, each defined here and nowhere else: for C, C++ and, as pyvocsep._core.limits, Python. */
#pragma once

/* Sample rates of a stream and of a model, in Hz. */
#define PYVOCSEP_MIN_SAMPLE_RATE 8000
#define PYVOCSEP_MAX_SAMPLE_RATE 192000

/* Channels of a stream: mono and stereo. */
#define PYVOCSEP_MAX_CHANNELS 2

/* Threads of one separator. */
#define PYVOCSEP_MAX_THREADS 64

/* Samples beyond +-1e15, infinities and NaN are processed as silence: their spectrum would overflow. */
#define PYVOCSEP_LARGEST_SAMPLE 1e15

/* Frame lengths in samples, which are FFT sizes. Every even size between these whose prime factors are at most 7 is
   possible. */
#define PYVOCSEP_MIN_FRAME 64
#define PYVOCSEP_MAX_FRAME 16384

/* Frames that a model may look ahead, and with it be late: 6 s with hops of 23 ms. */
#define PYVOCSEP_MAX_FRAMES_AHEAD 256
/* Values that may wait in one of its blocks, bands times width times frames: 16 MB. */
#define PYVOCSEP_MAX_VALUES_AHEAD 4194304

/* The metadata value `format` of the model files that this version reads. */
#define PYVOCSEP_MODEL_FORMAT "pyvocsep-1"
