/* The C interface of pyvocsep: separates a stream of audio into vocals and accompaniment.
 *
 *     pyvocsep_separator* separator = pyvocsep_create(NULL, 44100, 2, 1);
 *     if (separator == NULL) fprintf(stderr, "%s\n", pyvocsep_last_error());
 *     while (read a block) pyvocsep_process(separator, block, vocals, accompaniment, samples);
 *     pyvocsep_flush(separator, vocals, accompaniment);
 *     pyvocsep_destroy(separator);
 *
 * Audio. One array of float for each channel, full scale +-1. A channel pointer array has as many pointers as the
 * separator has channels. Nothing is resampled or rescaled. The output is the input pyvocsep_latency() samples later,
 * split in two: vocals + accompaniment equals it to the last float32 rounding. The size of the blocks does not change a
 * bit of the output.
 *
 * Real time. pyvocsep_process, pyvocsep_flush, pyvocsep_reset and pyvocsep_latency allocate nothing, lock nothing and
 * make no system call. (With more than one thread, processing waits for the separator's own threads.)
 *
 * Threads. One separator serves one stream, from one thread at a time. Different separators are independent.
 *
 * Errors. No C++ exception leaves these functions. Those that return int return 0, or a count, on success and -1 on
 * failure; pyvocsep_last_error then says why. Null pointers and numbers out of range are such errors and leave the
 * separator unchanged; a pointer to anything else than what is asked for cannot be told, as everywhere in C.
 *
 * Linking. The library is static and written in C++: a C program needs the C++ runtime too, which pkg-config and CMake
 * (with the language CXX enabled) add. */
#pragma once

#include <stddef.h>

#include "pyvocsep/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pyvocsep_separator pyvocsep_separator;

/* A separator for a stream of `channels` channels (1 to PYVOCSEP_MAX_CHANNELS) at `sample_rate` Hz
 * (PYVOCSEP_MIN_SAMPLE_RATE to PYVOCSEP_MAX_SAMPLE_RATE), computed by `threads` threads (1 to PYVOCSEP_MAX_THREADS; the
 * caller's is the first of them).
 *
 * `model` is the path of a .safetensors model file (on Windows in UTF-8), or NULL for the default model, if the library
 * was built with PYVOCSEP_EMBED_WEIGHTS. NULL on failure. The result belongs to the caller: end it with
 * pyvocsep_destroy. */
pyvocsep_separator* pyvocsep_create(const char* model, double sample_rate, int channels, int threads);

/* The same with the bytes of a model file, which the caller may free afterwards. */
pyvocsep_separator* pyvocsep_create_from_bytes(const void* model, size_t size, double sample_rate, int channels,
                                               int threads);

/* Separates the next `samples` samples of the stream (0 or more). Each channel pointer points to `samples` floats; the
 * first pyvocsep_latency() samples of a stream come out as zeros. vocals[c] or accompaniment[c] may be in[c]; otherwise
 * no two channels may overlap. Samples that are NaN or beyond +-PYVOCSEP_LARGEST_SAMPLE are taken as silence. */
int pyvocsep_process(pyvocsep_separator* separator, const float* const* in, float* const* vocals,
                     float* const* accompaniment, int samples);

/* Ends the stream: writes its last samples, pyvocsep_latency() for each channel of both stems, and returns that number.
 * The next sample is the first of a new stream. */
int pyvocsep_flush(pyvocsep_separator* separator, float* const* vocals, float* const* accompaniment);

/* Forgets the stream; the next sample is the first of a new one. */
int pyvocsep_reset(pyvocsep_separator* separator);

/* Samples by which the output is later than the input: 46 ms of most models, seconds of one that looks ahead. It does
 * not change during a separator's life. */
int pyvocsep_latency(const pyvocsep_separator* separator);

/* Frees the separator; NULL does nothing. */
void pyvocsep_destroy(pyvocsep_separator* separator);

/* Why the last failed call of this thread failed, in English; "" before the first failure. Valid until the thread's
 * next failure or end. */
const char* pyvocsep_last_error(void);

/* The library's version, as "0.1.0". Valid for ever. */
const char* pyvocsep_version(void);

#ifdef __cplusplus
}
#endif
