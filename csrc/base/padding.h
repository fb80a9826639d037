// How arrays are padded, so that kernels read and write whole vectors.
#pragma once

namespace pyvocsep {

// Floats of a panel: matrices have their widths padded to whole panels, the widest vector of any instruction set.
inline constexpr int kPanel = 16;

// Floats on both sides of a Buffer that a kernel may touch: four of the widest vectors, the longest step of a kernel.
inline constexpr int kPad = 64;

constexpr int padded(int n) { return (n + kPanel - 1) / kPanel * kPanel; }

}  // namespace pyvocsep
