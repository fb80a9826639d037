/* Separates a WAV file into vocals.wav and accompaniment.wav, block by block, through the C interface of pyvocsep.
 *
 *     cc separate.c $(pkg-config --cflags --libs pyvocsep sndfile) -o separate
 *     ./separate song.wav 512 [model.safetensors]
 *
 * Needs libsndfile, and pyvocsep as `cmake --install` installs it (PKG_CONFIG_PATH=PREFIX/lib/pkgconfig if PREFIX is
 * not a system folder). Without a model, the library must have been built with -DPYVOCSEP_EMBED_WEIGHTS=ON. The stems
 * have the input's rate, channels and length, as 32-bit floats: the samples that pyvocsep.process gives in Python. */
#include <pyvocsep/pyvocsep.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

/* A stem's file, and how many of the next samples are still to be dropped: those before the song's first. */
typedef struct {
  SNDFILE* file;
  int late;
} stem_file;

static void fail(const char* what, const char* why) {
  fprintf(stderr, "separate: %s: %s\n", what, why);
  exit(1);
}

static float* floats(int count) {
  float* memory = malloc(sizeof(float) * (size_t)count);
  if (memory == NULL) fail("memory", "there is not enough");
  return memory;
}

static stem_file create(const char* path, const SF_INFO* song, int latency) {
  SF_INFO info = {0};
  stem_file stem;
  info.samplerate = song->samplerate;
  info.channels = song->channels;
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  stem.file = sf_open(path, SFM_WRITE, &info);
  stem.late = latency;
  if (stem.file == NULL) fail(path, sf_strerror(NULL));
  return stem;
}

/* Writes `samples` samples of each channel; `frames` is memory for them side by side, as files have them. */
static void write_stem(stem_file* stem, float* const* audio, int channels, int samples, float* frames) {
  int i, c, dropped = samples < stem->late ? samples : stem->late;
  for (i = dropped; i < samples; ++i)
    for (c = 0; c < channels; ++c) frames[(i - dropped) * channels + c] = audio[c][i];
  stem->late -= dropped;
  if (sf_writef_float(stem->file, frames, samples - dropped) != samples - dropped)
    fail("a stem", sf_strerror(stem->file));
}

static void close_stem(stem_file* stem) {
  if (sf_close(stem->file) != 0) fail("a stem", "it could not be written to its end");
}

int main(int arguments, char** argument) {
  SF_INFO info = {0};
  SNDFILE* song;
  pyvocsep_separator* separator;
  stem_file vocals_file, accompaniment_file;
  float *frames, *in[PYVOCSEP_MAX_CHANNELS], *vocals[PYVOCSEP_MAX_CHANNELS], *accompaniment[PYVOCSEP_MAX_CHANNELS];
  const float* mixture[PYVOCSEP_MAX_CHANNELS];
  int block, largest, latency, samples, i, c;

  if (arguments < 3 || arguments > 4 || (block = atoi(argument[2])) < 1 || block > 1 << 20) {
    fprintf(stderr, "usage: separate SONG.wav BLOCK [MODEL.safetensors]\nBLOCK is 1 to 1048576 samples.\n");
    return 2;
  }
  song = sf_open(argument[1], SFM_READ, &info);
  if (song == NULL) fail(argument[1], sf_strerror(NULL));
  separator = pyvocsep_create(arguments > 3 ? argument[3] : NULL, info.samplerate, info.channels, 1);
  if (separator == NULL) fail("pyvocsep", pyvocsep_last_error());
  latency = pyvocsep_latency(separator);

  largest = block > latency ? block : latency; /* the tail comes in one piece */
  frames = floats(largest * info.channels);
  for (c = 0; c < info.channels; ++c) {
    mixture[c] = in[c] = floats(block);
    vocals[c] = floats(largest);
    accompaniment[c] = floats(largest);
  }
  vocals_file = create("vocals.wav", &info, latency);
  accompaniment_file = create("accompaniment.wav", &info, latency);

  while ((samples = (int)sf_readf_float(song, frames, block)) > 0) {
    for (i = 0; i < samples; ++i)
      for (c = 0; c < info.channels; ++c) in[c][i] = frames[i * info.channels + c];
    if (pyvocsep_process(separator, mixture, vocals, accompaniment, samples) < 0)
      fail("pyvocsep", pyvocsep_last_error());
    write_stem(&vocals_file, vocals, info.channels, samples, frames);
    write_stem(&accompaniment_file, accompaniment, info.channels, samples, frames);
  }
  if (sf_error(song) != 0) fail(argument[1], sf_strerror(song));
  if (pyvocsep_flush(separator, vocals, accompaniment) < 0) fail("pyvocsep", pyvocsep_last_error());
  write_stem(&vocals_file, vocals, info.channels, latency, frames);
  write_stem(&accompaniment_file, accompaniment, info.channels, latency, frames);

  close_stem(&vocals_file);
  close_stem(&accompaniment_file);
  sf_close(song);
  pyvocsep_destroy(separator);
  for (c = 0; c < info.channels; ++c) {
    free(in[c]);
    free(vocals[c]);
    free(accompaniment[c]);
  }
  free(frames);
  return 0;
}
