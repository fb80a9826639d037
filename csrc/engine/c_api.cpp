#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

#include "pyvocsep/pyvocsep.h"
#include "pyvocsep/separator.h"

struct pyvocsep_separator : pyvocsep::Separator {
  using Separator::Separator;
};

namespace {

// Fixed memory: an error may be reported from a real-time thread, or for want of memory.
thread_local char last_error[1024] = "";

int fail(const char* message) {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return -1;
}

template <typename Load>
pyvocsep_separator* create(const Load& load, double sample_rate, int channels, int threads) noexcept {
  try {
    return new pyvocsep_separator(load(), sample_rate, channels, threads);
  } catch (const std::exception& error) {
    fail(error.what());
  } catch (...) {
    fail("unknown error");
  }
  return nullptr;
}

// True if there is an array of pointers, and no pointer in it is null.
template <typename Float>
bool is_given(Float* const* planes, int channels) {
  return planes != nullptr && std::all_of(planes, planes + channels, [](Float* plane) { return plane != nullptr; });
}

constexpr char kNoSeparator[] = "separator is NULL";
constexpr char kNoInput[] = "in is NULL, or the pointer of one of its channels is";
constexpr char kNoVocals[] = "vocals is NULL, or the pointer of one of its channels is";
constexpr char kNoAccompaniment[] = "accompaniment is NULL, or the pointer of one of its channels is";

}  // namespace

extern "C" {

pyvocsep_separator* pyvocsep_create(const char* model, double sample_rate, int channels, int threads) {
  const auto load = [&] { return model == nullptr ? pyvocsep::Model::embedded() : pyvocsep::Model(model); };
  return create(load, sample_rate, channels, threads);
}

pyvocsep_separator* pyvocsep_create_from_bytes(const void* model, size_t size, double sample_rate, int channels,
                                               int threads) {
  if (model == nullptr) {
    fail("model is NULL");
    return nullptr;
  }
  const auto load = [&] { return pyvocsep::Model::from_bytes({static_cast<const char*>(model), size}, "model"); };
  return create(load, sample_rate, channels, threads);
}

int pyvocsep_process(pyvocsep_separator* separator, const float* const* in, float* const* vocals,
                     float* const* accompaniment, int samples) {
  if (separator == nullptr) return fail(kNoSeparator);
  if (samples < 0) return fail("samples is negative");
  if (samples == 0) return 0;
  if (!is_given(in, separator->channels())) return fail(kNoInput);
  if (!is_given(vocals, separator->channels())) return fail(kNoVocals);
  if (!is_given(accompaniment, separator->channels())) return fail(kNoAccompaniment);
  separator->process(in, vocals, accompaniment, samples);
  return 0;
}

int pyvocsep_flush(pyvocsep_separator* separator, float* const* vocals, float* const* accompaniment) {
  if (separator == nullptr) return fail(kNoSeparator);
  if (!is_given(vocals, separator->channels())) return fail(kNoVocals);
  if (!is_given(accompaniment, separator->channels())) return fail(kNoAccompaniment);
  separator->flush(vocals, accompaniment);
  return separator->latency();
}

int pyvocsep_reset(pyvocsep_separator* separator) {
  if (separator == nullptr) return fail(kNoSeparator);
  separator->reset();
  return 0;
}

int pyvocsep_latency(const pyvocsep_separator* separator) {
  if (separator == nullptr) return fail(kNoSeparator);
  return separator->latency();
}

void pyvocsep_destroy(pyvocsep_separator* separator) { delete separator; }

const char* pyvocsep_last_error(void) { return last_error; }

const char* pyvocsep_version(void) { return PYVOCSEP_VERSION; }

}  // extern "C"
