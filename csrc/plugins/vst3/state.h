// The saved state of the plugin, which a host keeps in a project: the bytes "pvcs", the version of the format, then the
// value of each parameter; integers are 32-bit little-endian.
#pragma once

#include <array>

#include "plugins/vst3/abi.h"
#include "plugins/vst3/parameters.h"

namespace pyvocsep::vst3 {

using Values = std::array<int, kParameterCount>;

// Returns false if the stream does not take all bytes.
bool write_state(const Values& values, IBStream& stream);
// Returns false, with `values` unchanged, if the stream holds no state that this version reads.
bool read_state(IBStream& stream, Values& values);

}  // namespace pyvocsep::vst3
