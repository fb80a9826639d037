#include "nn/layers.h"

#include <algorithm>

#include "nn/packing.h"

namespace pyvocsep {

Linear::Linear(const Kernels& kernels, const Matrix& weight, const std::vector<float>& bias)
    : Linear(kernels, weight, Matrix{1, weight.rows, bias}) {}

Linear::Linear(const Kernels& kernels, const Matrix& weight, const Matrix& biases)
    : kernels_(kernels),
      inputs_(weight.columns),
      outputs_(weight.rows),
      bias_stride_(biases.rows > 1 ? padded(outputs_) : 0),
      weights_(static_cast<size_t>(padded(outputs_)) * words_of(kernels.precision, inputs_)),
      bias_(static_cast<size_t>(padded(outputs_)) * biases.rows) {
  for (int n = 0; n < outputs_; ++n) {
    for (int row = 0; row < biases.rows; ++row) bias_[row * padded(outputs_) + n] = biases.at(row, n);
    const size_t panel = static_cast<size_t>(n / kPanel) * words_of(kernels.precision, inputs_) * kPanel;
    pack_output(
        kernels.precision, inputs_, [&](int k) { return weight.at(n, k); }, &weights_[panel + n % kPanel], kPanel);
  }
}

int Gru::hidden_of(const ModelFile& file, const std::string& prefix, const std::string& suffix) {
  const std::string name = prefix + "weight_hh" + suffix;
  const std::vector<int> shape = file.shape(name, 2);
  if (shape[0] != int64_t{3} * shape[1]) file.fail("tensor '" + name + "' is not three square matrices");
  return shape[1];
}

Gru::Gru(const Kernels& kernels, const ModelFile& file, const std::string& prefix, const std::string& suffix,
         int inputs)
    : kernels_(kernels),
      inputs_(inputs),
      hidden_(hidden_of(file, prefix, suffix)),
      weights_(static_cast<size_t>(width()) * 3 *
               (words_of(kernels.precision, inputs) + words_of(kernels.precision, hidden_))),
      bias_(static_cast<size_t>(width()) * 4) {
  const Tensor& weight_ih = file.tensor(prefix + "weight_ih" + suffix, {3 * hidden_, inputs});
  const Tensor& weight_hh = file.tensor(prefix + "weight_hh" + suffix, {3 * hidden_, hidden_});
  const std::vector<float>& bias_ih = file.tensor(prefix + "bias_ih" + suffix, {3 * hidden_}).values;
  const std::vector<float>& bias_hh = file.tensor(prefix + "bias_hh" + suffix, {3 * hidden_}).values;
  const int input_words = words_of(kernels.precision, inputs);
  const int all_words = input_words + words_of(kernels.precision, hidden_);
  const int lanes = kernels.lanes;
  for (int unit = 0; unit < hidden_; ++unit) {
    for (int gate = 0; gate < 3; ++gate) {
      const int row = gate * hidden_ + unit;
      const size_t first = (static_cast<size_t>(unit / lanes) * all_words * 3 + gate) * lanes + unit % lanes;
      pack_output(kernels.precision, inputs, [&](int k) { return weight_ih.at(row, k); }, &weights_[first], 3 * lanes);
      pack_output(
          kernels.precision, hidden_, [&](int k) { return weight_hh.at(row, k); },
          &weights_[first + static_cast<size_t>(input_words) * 3 * lanes], 3 * lanes);
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
