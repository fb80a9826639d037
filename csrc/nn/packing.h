// Packing: float32 weights into the words that the kernels of a precision read.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

namespace pyvocsep {

// The upper half of a float32, rounded to nearest even. ModelFile has checked that weights are finite.
inline uint32_t bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

// Writes the words_of(precision, inputs) words of one output, `stride` floats apart; weight(k) is the weight of input
// k.
//
// int8: a word holds four weights as integers, in units of a 127th of the chunk's largest weight. Two words follow each
// chunk: the unit as a float, and -128 times the sum of the integers, which kernels/products.h explains.
template <typename Weight>
void pack_output(Precision precision, int inputs, const Weight& weight, float* words, ptrdiff_t stride) {
  if (precision == Precision::kFloat32) {
    for (int k = 0; k < inputs; ++k, words += stride) *words = weight(k);
  } else if (precision == Precision::kBfloat16) {
    for (int k = 0; k < inputs; k += 2, words += stride) {
      const uint32_t second = k + 1 < inputs ? bfloat16(weight(k + 1)) : 0;
      *words = std::bit_cast<float>(bfloat16(weight(k)) | second << 16);
    }
  } else {
    for (int first = 0; first < inputs; first += kChunk) {
      const int end = std::min(first + kChunk, inputs);
      float largest = 0.0f;
      for (int k = first; k < end; ++k) largest = std::max(largest, std::abs(weight(k)));
      const float unit = largest / 127;
      int32_t sum = 0;
      for (int k = first; k < end; k += 4, words += stride) {
        uint32_t word = 0;
        for (int i = 0; i < 4 && k + i < end; ++i) {
          const auto value = static_cast<int32_t>(unit > 0 ? std::nearbyint(weight(k + i) / unit) : 0.0f);
          sum += value;
          word |= (static_cast<uint32_t>(value) & 0xff) << 8 * i;
        }
        *words = std::bit_cast<float>(word);
      }
      *words = unit;
      words[stride] = std::bit_cast<float>(-128 * sum);
      words += 2 * stride;
    }
  }
}

}  // namespace pyvocsep
