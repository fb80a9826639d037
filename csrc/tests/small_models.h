// Models of both architectures, as small as they can be: what the fuzzers begin with, and tests that load many.
#pragma once

#include "tests/random_model.h"

namespace pyvocsep::test {

// The last band would reach bin 36: three bins are cut off.
inline ModelBuilder small_band_gru() { return band_gru_of(8000, 64, 32, {{2, 8}, {1, 20}}, 32, 1); }

inline ModelBuilder small_band_gru_ahead() { return look_ahead(small_band_gru(), 32, {0}, 3, 1); }

inline ModelBuilder small_gru() { return gru_of(8000, 64, 16, 5, 3); }

}  // namespace pyvocsep::test
