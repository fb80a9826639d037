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

// `level` is the memory of the running level in seconds; none without.
inline ModelBuilder random_band_gru(int hop_divisor = 2, const std::string& level = "") {
  // The last band would reach bin 260: its last three bins are missing.
  const int n_fft = 512, bins = n_fft / 2 + 1, dim = 32, blocks = 2;
  const std::vector<std::pair<int, int>> zones = {{5, 4}, {3, 20}, {4, 45}};
  ModelBuilder m = common("band-gru", 44100, n_fft, n_fft / hop_divisor);
  m.metadata["band_counts"] = "5,3,4";
  m.metadata["band_widths"] = "4,20,45";
  if (!level.empty()) m.metadata["level_seconds"] = level;
  for (size_t i = 0; i < zones.size(); ++i) {
    m.tensor("encoder.weights." + std::to_string(i), {dim, 4 * zones[i].second}, 0.2f);
    m.tensor("decoder.weights." + std::to_string(i), {2 * zones[i].second, dim}, 0.5f);
  }
  m.tensor("encoder.bias", {12, dim}, 0.3f);
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

// No size is a multiple of 16, so that padding is tested.
inline ModelBuilder random_gru() {
  const int n_fft = 256, bins = n_fft / 2 + 1;
  ModelBuilder m = common("gru", 16000, n_fft, n_fft / 2);
  add_gru(m, "gru.", "_l0", bins, 36);
  add_gru(m, "gru.", "_l1", 36, 20);
  for (const std::string head : {"vocals", "accompaniment"}) {
    m.tensor(head + ".weight", {bins, 20}, 0.5f);
    m.tensor(head + ".bias", {bins}, 0.5f);
  }
  return m;
}

}  // namespace pyvocsep::test
