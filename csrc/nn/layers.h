// The layers of the networks: weights packed once at construction, then only kernels.
//
// Rows are frames or bands; widths are padded to whole panels of 16 with zero weights, so padding stays zero.
#pragma once

#include <utility>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "model/model_file.h"

namespace pyvocsep {

// A row-major matrix, read from the file or derived from what is there.
struct Matrix {
  int rows, columns;
  std::vector<float> values;

  Matrix(int rows, int columns) : rows(rows), columns(columns), values(static_cast<size_t>(rows) * columns) {}
  Matrix(int rows, int columns, std::vector<float> values) : rows(rows), columns(columns), values(std::move(values)) {}
  float& at(int row, int column) { return values[static_cast<size_t>(row) * columns + column]; }
  float at(int row, int column) const { return values[static_cast<size_t>(row) * columns + column]; }
};

class Linear {
 public:
  // The weight is outputs x inputs. The bias is either one vector for all rows, or a matrix with one row for each of
  // the rows that forward() takes.
  Linear(const Kernels& kernels, const Matrix& weight, const std::vector<float>& bias);
  Linear(const Kernels& kernels, const Matrix& weight, const Matrix& biases);

  double flops(int rows) const { return 2.0 * rows * inputs_ * outputs_; }

  // y[r] = weight x[r] + bias, then the epilogue.
  void forward(const float* x, ptrdiff_t x_stride, int rows, float* y, ptrdiff_t y_stride,
               Epilogue epilogue = Epilogue::kStore) const noexcept {
    kernels_.linear(
        {x, x_stride, rows, inputs_, outputs_, weights_.data(), bias_.data(), bias_stride_, y, y_stride, epilogue});
  }

 private:
  const Kernels& kernels_;
  int inputs_, outputs_;
  ptrdiff_t bias_stride_;
  Buffer weights_, bias_;
};

// One direction of one GRU layer, with PyTorch's equations; see kernels/gru.h.
class Gru {
 public:
  // Reads weight_ih, weight_hh, bias_ih, bias_hh (each name followed by `suffix`, such as "_l0_reverse").
  Gru(const Kernels& kernels, const ModelFile& file, const std::string& prefix, const std::string& suffix, int inputs);

  static int hidden_of(const ModelFile& file, const std::string& prefix, const std::string& suffix);

  int hidden() const { return hidden_; }
  int width() const { return padded(hidden_); }    // of a state
  int gates_width() const { return 3 * width(); }  // of a row of gates
  double flops(int rows) const { return 6.0 * rows * hidden_ * (inputs_ + hidden_); }

  // Computes the next states y from inputs x and states h; fast for many rows. At most kChunk inputs and units.
  void step(const float* x, ptrdiff_t x_stride, const float* h, ptrdiff_t h_stride, int rows, float* y,
            ptrdiff_t y_stride) const noexcept {
    GruArgs a = args(rows);
    a.x = x, a.x_stride = x_stride, a.h = h, a.h_stride = h_stride, a.y = y, a.y_stride = y_stride;
    kernels_.gru_cell(a);
  }
  // The same in two parts, fast for few rows: the inputs' part of the gates of many steps at once, then each step. Both
  // ways give the same bits.
  void gates(const float* x, ptrdiff_t x_stride, int rows, float* gates, ptrdiff_t gates_stride) const noexcept {
    GruArgs a = args(rows);
    a.x = x, a.x_stride = x_stride, a.gates = gates, a.gates_stride = gates_stride;
    kernels_.gru_gates(a);
  }
  void step_from_gates(float* gates, ptrdiff_t gates_stride, const float* h, ptrdiff_t h_stride, int rows, float* y,
                       ptrdiff_t y_stride) const noexcept {
    GruArgs a = args(rows);
    a.gates = gates, a.gates_stride = gates_stride, a.h = h, a.h_stride = h_stride, a.y = y, a.y_stride = y_stride;
    kernels_.gru_step(a);
  }

 private:
  GruArgs args(int rows) const {
    return {.rows = rows, .inputs = inputs_, .hidden = hidden_, .weights = weights_.data(), .bias = bias_.data()};
  }

  const Kernels& kernels_;
  int inputs_, hidden_;
  Buffer weights_, bias_;
};

// A residual connection and the normalisation after it. The width must be a whole number of panels.
class AddNorm {
 public:
  // Without states to add: only normalises.
  AddNorm(const Kernels& kernels, const ModelFile& file, const std::string& weight, int width);
  // Adds states first, times one factor for each value of a vector.
  AddNorm(const Kernels& kernels, const ModelFile& file, const std::string& scale, const std::string& weight,
          int width);

  // x += h * scale, if there is a scale; then y = norm(x). Rows are contiguous in all three.
  void forward(float* x, const float* h, int rows, float* y) const noexcept {
    kernels_.add_norm({rows, width_, x, adds_ ? h : nullptr, scale_.data(), weight_.data(), y});
  }

 private:
  const Kernels& kernels_;
  int width_;
  bool adds_;
  Buffer scale_, weight_;
};

}  // namespace pyvocsep
