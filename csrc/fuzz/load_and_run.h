// What a host does with a model file that it was handed: load it, and if that works, separate a few frames.
#pragma once

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "pyvocsep/separator.h"

namespace pyvocsep::fuzz {

// True if the model was loaded. A refusal is std::invalid_argument; all else that is thrown ends the process.
inline bool load_and_run(std::string_view bytes, Precision precision, int channels) {
  try {
    const Model model = Model::from_bytes(bytes, "fuzz.safetensors", precision);
    const double rate = model.sample_rate();
    Separator separator(model, rate, channels, 1);
    const int n = 4 * separator.latency();
    std::vector<float> audio(static_cast<size_t>(n)), other(audio.size()), stems(4 * audio.size());
    for (int i = 0; i < n; ++i) {
      audio[i] = std::sin(0.3f * static_cast<float>(i));
      other[i] = std::sin(0.7f * static_cast<float>(i));
    }
    const float* in[] = {audio.data(), other.data()};
    float* vocals[] = {stems.data(), stems.data() + n};
    float* accompaniment[] = {stems.data() + 2 * n, stems.data() + 3 * n};
    separator.process(in, vocals, accompaniment, n);
    for (int i = 0; i < 4 * n; ++i)
      if (!std::isfinite(stems[i])) std::abort();  // bounded weights and bounded samples give bounded stems
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace pyvocsep::fuzz
