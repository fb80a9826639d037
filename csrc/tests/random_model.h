// Model files with random weights, in memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace pyvocsep::test {

class ModelBuilder {
 public:
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::pair<std::vector<int>, std::vector<float>>> tensors;  // shape and values

  explicit ModelBuilder(unsigned seed) : random_(seed) {}

  void tensor(const std::string& name, const std::vector<int>& shape, float scale) {
    size_t count = 1;
    for (int size : shape) count *= static_cast<size_t>(size);
    std::vector<float> values(count);
    std::normal_distribution<float> normal(0.0f, scale);
    for (float& v : values) v = normal(random_);
    tensors[name] = {shape, std::move(values)};
  }

  std::string bytes() const {
    std::string header = "{\"__metadata__\":{", data;
    for (const auto& [key, value] : metadata)
      header += (header.back() == '{' ? "\"" : ",\"") + key + "\":\"" + value + "\"";
    header += "}";
    for (const auto& [name, tensor] : tensors) {
      header += ",\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[";
      for (size_t i = 0; i < tensor.first.size(); ++i) {
        if (i > 0) header += ",";
        header += std::to_string(tensor.first[i]);
      }
      header += "],\"data_offsets\":[" + std::to_string(data.size()) + ",";
      data.append(reinterpret_cast<const char*>(tensor.second.data()), tensor.second.size() * sizeof(float));
      header += std::to_string(data.size()) + "]}";
    }
    header += "}";
    const uint64_t size = header.size();
    std::string file(8, '\0');
    std::memcpy(file.data(), &size, 8);
    return file + header + data;
  }

 private:
  std::mt19937 random_;
};

inline void add_gru(ModelBuilder& m, const std::string& prefix, const std::string& suffix, int inputs, int hidden) {
  m.tensor(prefix + "weight_ih" + suffix, {3 * hidden, inputs}, 0.3f);
  m.tensor(prefix + "weight_hh" + suffix, {3 * hidden, hidden}, 0.3f);
  m.tensor(prefix + "bias_ih" + suffix, {3 * hidden}, 0.3f);
  m.tensor(prefix + "bias_hh" + suffix, {3 * hidden}, 0.3f);
}

inline ModelBuilder common(const std::string& architecture, int sample_rate, int n_fft, int hop) {
  ModelBuilder m(7);
  m.metadata = {
      {"format", "pyvocsep-1"},         {"architecture", architecture},   {"sample_rate", std::to_string(sample_rate)},
      {"n_fft", std::to_string(n_fft)}, {"hop", std::to_string(hop)},     {"exponent", "0.3"},
      {"extension_bins", "20"},         {"stems", "vocals,accompaniment"}};
  return m;
}

// Appends a number to a list with commas, as metadata has it.
inline void append(std::string& list, int number) {
  if (!list.empty()) list += ',';
  list += std::to_string(number);
}

// (count, width) of each run of bands.
using Zones = std::vector<std::pair<int, int>>;

inline ModelBuilder band_gru_of(int sample_rate, int n_fft, int hop, const Zones& zones, int dim, int blocks) {
  ModelBuilder m = common("band-gru", sample_rate, n_fft, hop);
  const int bins = n_fft / 2 + 1;
  int bands = 0;
  std::string counts, widths;
  for (size_t i = 0; i < zones.size(); ++i) {
    const auto [count, width] = zones[i];
    bands += count;
    append(counts, count);
    append(widths, width);
    m.tensor("encoder.weights." + std::to_string(i), {dim, 4 * width}, 0.2f);
    m.tensor("decoder.weights." + std::to_string(i), {2 * width, dim}, 0.5f);
  }
  m.metadata["band_counts"] = counts;
  m.metadata["band_widths"] = widths;
  m.tensor("encoder.bias", {bands, dim}, 0.3f);
  m.tensor("decoder.bias", {bins, 2}, 0.5f);
  for (int i = 0; i < blocks; ++i) {
    const std::string p = "blocks." + std::to_string(i) + ".";
    m.tensor(p + "time_norm.weight", {dim}, 1.0f);
    add_gru(m, p + "time_gru.", "_l0", dim, dim);
    m.tensor(p + "time_scale", {dim}, 1.0f);
    m.tensor(p + "band_norm.weight", {dim}, 1.0f);
    add_gru(m, p + "band_gru.", "_l0", dim, dim / 2);
    add_gru(m, p + "band_gru.", "_l0_reverse", dim, dim / 2);
    m.tensor(p + "band_scale", {dim}, 1.0f);
  }
  m.tensor("norm.weight", {dim}, 1.0f);
  return m;
}

inline ModelBuilder gru_of(int sample_rate, int n_fft, int hop, int first_hidden, int second_hidden) {
  const int bins = n_fft / 2 + 1;
  ModelBuilder m = common("gru", sample_rate, n_fft, hop);
  add_gru(m, "gru.", "_l0", bins, first_hidden);
  add_gru(m, "gru.", "_l1", first_hidden, second_hidden);
  for (const std::string head : {"vocals", "accompaniment"}) {
    m.tensor(head + ".weight", {bins, second_hidden}, 0.5f);
    m.tensor(head + ".bias", {bins}, 0.5f);
  }
  return m;
}

// `level` is the memory of the running level in seconds; none without. The last band would reach bin 260: its last
// three bins are missing.
inline ModelBuilder random_band_gru(int hop_divisor = 2, const std::string& level = "") {
  ModelBuilder m = band_gru_of(44100, 512, 512 / hop_divisor, {{5, 4}, {3, 20}, {4, 45}}, 32, 2);
  if (!level.empty()) m.metadata["level_seconds"] = level;
  return m;
}

// Gives some blocks of a `band-gru` of this width a look-ahead.
inline ModelBuilder look_ahead(ModelBuilder m, int dim, const std::vector<int>& blocks, int chunk, int context) {
  for (const int block : blocks) {
    const std::string p = "blocks." + std::to_string(block) + ".ahead.";
    m.tensor(p + "norm.weight", {dim}, 1.0f);
    add_gru(m, p + "gru.", "_l0", dim, dim);
    m.tensor(p + "scale", {dim}, 1.0f);
  }
  m.metadata["look_ahead_chunk"] = std::to_string(chunk);
  m.metadata["look_ahead_context"] = std::to_string(context);
  return m;
}

// Gives a model a spatial filter with this memory in seconds.
inline ModelBuilder spatial(ModelBuilder m, const std::string& seconds = "0.5") {
  m.metadata["spatial_seconds"] = seconds;
  return m;
}

// Both blocks look ahead, 2 (chunk + context - 1) frames together.
inline ModelBuilder random_band_gru_ahead(int chunk = 5, int context = 3, int hop_divisor = 2) {
  return look_ahead(random_band_gru(hop_divisor, "0.5"), 32, {0, 1}, chunk, context);
}

// No size is a multiple of 16, so that padding is tested.
inline ModelBuilder random_gru() { return gru_of(16000, 256, 128, 36, 20); }

}  // namespace pyvocsep::test
