#include "core/layers.h"

namespace pyvocsep {

namespace {

// The gates' input weights with each gate padded to whole panels, and the biases that the input's share carries:
// both for r and z; only b_in for n, because b_hn belongs inside the product with r.
Linear input_layer(const ModelFile& file, const std::string& prefix, const std::string& suffix, int inputs) {
  const int hidden = Gru::hidden_of(file, prefix, suffix), width = padded(hidden);
  const Tensor& weight = file.tensor(prefix + "weight_ih" + suffix, {3 * hidden, inputs});
  const Tensor& bias_ih = file.tensor(prefix + "bias_ih" + suffix, {3 * hidden});
  const Tensor& bias_hh = file.tensor(prefix + "bias_hh" + suffix, {3 * hidden});
  Matrix matrix(3 * width, inputs);
  std::vector<float> bias(3 * width);
  for (int gate = 0; gate < 3; ++gate)
    for (int unit = 0; unit < hidden; ++unit) {
      const int from = gate * hidden + unit, to = gate * width + unit;
      for (int k = 0; k < inputs; ++k) matrix.at(to, k) = weight.at(from, k);
      bias[to] = bias_ih.values[from] + (gate < 2 ? bias_hh.values[from] : 0.0f);
    }
  return Linear(matrix, bias);
}

}  // namespace

Linear::Linear(const Matrix& weight, const std::vector<float>& bias)
    : kernels_(kernels()),
      inputs_(weight.inputs),
      outputs_(weight.outputs),
      weights_(static_cast<size_t>(padded(outputs_)) * inputs_),
      bias_(padded(outputs_)) {
  for (int n = 0; n < outputs_; ++n) {
    bias_[n] = bias[n];
    for (int k = 0; k < inputs_; ++k)
      weights_[(static_cast<size_t>(n / kPanel) * inputs_ + k) * kPanel + n % kPanel] = weight.at(n, k);
  }
}

int Gru::hidden_of(const ModelFile& file, const std::string& prefix, const std::string& suffix) {
  const std::string name = prefix + "weight_hh" + suffix;
  const Tensor& weight = file.tensor(name, {-1, -1});
  if (weight.shape[0] != 3 * weight.shape[1]) file.fail("tensor '" + name + "' is not three square matrices");
  return weight.shape[1];
}

Gru::Gru(const ModelFile& file, const std::string& prefix, const std::string& suffix, int inputs)
    : kernels_(kernels()),
      hidden_(hidden_of(file, prefix, suffix)),
      input_(input_layer(file, prefix, suffix, inputs)),
      recurrent_(static_cast<size_t>(width()) * hidden_ * 3),
      bias_n_(width()) {
  const Tensor& weight = file.tensor(prefix + "weight_hh" + suffix, {3 * hidden_, hidden_});
  const Tensor& bias = file.tensor(prefix + "bias_hh" + suffix, {3 * hidden_});
  for (int unit = 0; unit < hidden_; ++unit) {
    bias_n_[unit] = bias.values[2 * hidden_ + unit];
    for (int gate = 0; gate < 3; ++gate)
      for (int k = 0; k < hidden_; ++k) {
        const size_t row = static_cast<size_t>(unit / kPanel) * hidden_ + k;
        recurrent_[(row * 3 + gate) * kPanel + unit % kPanel] = weight.at(gate * hidden_ + unit, k);
      }
  }
}

RmsNorm::RmsNorm(const ModelFile& file, const std::string& name, int size)
    : kernels_(kernels()), size_(size), weight_(padded(size)) {
  const Tensor& weight = file.tensor(name, {size});
  for (int i = 0; i < size; ++i) weight_[i] = weight.values[i];
}

}  // namespace pyvocsep
