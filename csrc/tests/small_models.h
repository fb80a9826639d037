// Models of both architectures, as small as they can be: what the fuzzers begin with, and tests that load many.
#pragma once

#include <string>

#include "tests/random_model.h"

namespace pyvocsep::test {

inline ModelBuilder small_band_gru() {
  const int n_fft = 64, bins = n_fft / 2 + 1, dim = 32;
  ModelBuilder m = common("band-gru", 8000, n_fft, n_fft / 2);
  m.metadata["band_counts"] = "2,1";
  m.metadata["band_widths"] = "8,20";  // the last band would reach bin 36: three bins are cut off
  m.tensor("encoder.weights.0", {dim, 32}, 0.2f);
  m.tensor("encoder.weights.1", {dim, 80}, 0.2f);
  m.tensor("decoder.weights.0", {16, dim}, 0.5f);
  m.tensor("decoder.weights.1", {40, dim}, 0.5f);
  m.tensor("encoder.bias", {3, dim}, 0.3f);
  m.tensor("decoder.bias", {bins, 2}, 0.5f);
  m.tensor("blocks.0.time_norm.weight", {dim}, 1.0f);
  add_gru(m, "blocks.0.time_gru.", "_l0", dim, dim);
  m.tensor("blocks.0.time_scale", {dim}, 1.0f);
  m.tensor("blocks.0.band_norm.weight", {dim}, 1.0f);
  add_gru(m, "blocks.0.band_gru.", "_l0", dim, dim / 2);
  add_gru(m, "blocks.0.band_gru.", "_l0_reverse", dim, dim / 2);
  m.tensor("blocks.0.band_scale", {dim}, 1.0f);
  m.tensor("norm.weight", {dim}, 1.0f);
  return m;
}

inline ModelBuilder small_gru() {
  const int n_fft = 64, bins = n_fft / 2 + 1;
  ModelBuilder m = common("gru", 8000, n_fft, n_fft / 4);
  add_gru(m, "gru.", "_l0", bins, 5);
  add_gru(m, "gru.", "_l1", 5, 3);
  for (const std::string head : {"vocals", "accompaniment"}) {
    m.tensor(head + ".weight", {bins, 3}, 0.5f);
    m.tensor(head + ".bias", {bins}, 0.5f);
  }
  return m;
}

}  // namespace pyvocsep::test
