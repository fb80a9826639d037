// The number format of the networks' matrix products.
#pragma once

namespace pyvocsep {

// Format of both factors of a product. Sums, activations and states are float32 in every case.
enum class Precision {
  kFloat32,
  kBfloat16,  // needs AVX512-BF16, or BF16 of 64-bit ARM
  kInt8,      // needs VNNI (AVX512-VNNI or AVX-VNNI), or dot products of 64-bit ARM
};

// True if models can be loaded with this precision on this machine. Throws std::runtime_error if the environment
// variable PYVOCSEP_ISA names an instruction set that the machine lacks.
bool has_precision(Precision precision);

}  // namespace pyvocsep
