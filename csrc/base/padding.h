// Padding of arrays, which lets kernels read and write whole vectors.
#pragma once

namespace pyvocsep {

// Width of a panel in floats, that of the widest vector. Widths of matrices are padded to whole panels.
inline constexpr int kPanel = 16;

// Floats that a kernel may touch before and after an array: four of the widest vectors, the longest step of a kernel.
inline constexpr int kPad = 64;

constexpr int padded(int n) { return (n + kPanel - 1) / kPanel * kPanel; }

}  // namespace pyvocsep
