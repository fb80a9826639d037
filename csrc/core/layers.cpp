#include "core/layers.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace pyvocsep {

namespace {

// The upper half of a float32, rounded to nearest even. Weights are finite: ModelFile has seen to it.
uint32_t bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

// The words of packed weights that stand for `inputs` inputs; `weight(k)` is that of input k.
template <typename Weight, typename Store>
void pack(const Kernels& kernels, int inputs, const Weight& weight, const Store& store) {
  if (!kernels.pairs) {
    for (int k = 0; k < inputs; ++k) store(k, weight(k));
    return;
  }
  for (int k = 0; k < inputs; k += 2) {
    const uint32_t second = k + 1 < inputs ? bfloat16(weight(k + 1)) : 0;
    store(k / 2, std::bit_cast<float>(bfloat16(weight(k)) | second << 16));
  }
}

int words(const Kernels& kernels, int inputs) { return kernels.pairs ? (inputs + 1) / 2 : inputs; }

}  // namespace

Linear::Linear(const Kernels& kernels, const Matrix& weight, const std::vector<float>& bias)
    : Linear(kernels, weight, Matrix{1, weight.rows, bias}) {}

Linear::Linear(const Kernels& kernels, const Matrix& weight, const Matrix& biases)
    : kernels_(kernels),
      inputs_(weight.columns),
      outputs_(weight.rows),
      bias_stride_(biases.rows > 1 ? padded(outputs_) : 0),
      weights_(static_cast<size_t>(padded(outputs_)) * words(kernels, inputs_)),
      bias_(static_cast<size_t>(padded(outputs_)) * biases.rows) {
  for (int n = 0; n < outputs_; ++n) {
    for (int row = 0; row < biases.rows; ++row) bias_[row * padded(outputs_) + n] = biases.at(row, n);
    pack(
        kernels, inputs_, [&](int k) { return weight.at(n, k); },
        [&](int word, float value) {
          const size_t row = static_cast<size_t>(n / kPanel) * words(kernels, inputs_) + word;
          weights_[row * kPanel + n % kPanel] = value;
        });
  }
}

int Gru::hidden_of(const ModelFile& file, const std::string& prefix, const std::string& suffix) {
  const std::string name = prefix + "weight_hh" + suffix;
  const Tensor& weight = file.tensor(name, {-1, -1});
  if (weight.shape[0] != 3 * weight.shape[1]) file.fail("tensor '" + name + "' is not three square matrices");
  return weight.shape[1];
}

Gru::Gru(const Kernels& kernels, const ModelFile& file, const std::string& prefix, const std::string& suffix,
         int inputs)
    : kernels_(kernels),
      inputs_(inputs),
      hidden_(hidden_of(file, prefix, suffix)),
      weights_(static_cast<size_t>(width()) * (words(kernels, inputs) + words(kernels, hidden_)) * 3),
      bias_(static_cast<size_t>(width()) * 4) {
  const Tensor& weight_ih = file.tensor(prefix + "weight_ih" + suffix, {3 * hidden_, inputs});
  const Tensor& weight_hh = file.tensor(prefix + "weight_hh" + suffix, {3 * hidden_, hidden_});
  const std::vector<float>& bias_ih = file.tensor(prefix + "bias_ih" + suffix, {3 * hidden_}).values;
  const std::vector<float>& bias_hh = file.tensor(prefix + "bias_hh" + suffix, {3 * hidden_}).values;
  const int input_words = words(kernels, inputs), all_words = input_words + words(kernels, hidden_);
  for (int unit = 0; unit < hidden_; ++unit) {
    for (int gate = 0; gate < 3; ++gate) {
      const int row = gate * hidden_ + unit;
      const auto store_from = [&](int first) {
        return [&, first](int word, float value) {
          const size_t place = static_cast<size_t>(unit / kPanel) * all_words + first + word;
          weights_[(place * 3 + gate) * kPanel + unit % kPanel] = value;
        };
      };
      pack(kernels, inputs, [&](int k) { return weight_ih.at(row, k); }, store_from(0));
      pack(kernels, hidden_, [&](int k) { return weight_hh.at(row, k); }, store_from(input_words));
      bias_[gate * width() + unit] = bias_ih[row] + (gate < 2 ? bias_hh[row] : 0.0f);
    }
    bias_[3 * width() + unit] = bias_hh[2 * hidden_ + unit];
  }
}

AddNorm::AddNorm(const Kernels& kernels, const ModelFile& file, const std::string& weight, int width)
    : kernels_(kernels), width_(width), adds_(false), scale_(width), weight_(width) {
  std::ranges::copy(file.tensor(weight, {width}).values, weight_.data());
}

AddNorm::AddNorm(const Kernels& kernels, const ModelFile& file, const std::string& scale, const std::string& weight,
                 int width)
    : AddNorm(kernels, file, weight, width) {
  adds_ = true;
  std::ranges::copy(file.tensor(scale, {width}).values, scale_.data());
}

}  // namespace pyvocsep
