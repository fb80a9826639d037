// The parameters as bytes, what a host keeps in a project: "pvcs", the format's version, then each value; all integers
// are 32-bit little-endian.
#pragma once

#include <array>

#include "plugins/vst3/abi.h"
#include "plugins/vst3/parameters.h"

namespace pyvocsep::vst3 {

using Values = std::array<int, kParameterCount>;

// False if the stream does not take all of it.
bool write_state(const Values& values, IBStream& stream);
// False, with `values` unchanged, if it is not a state that this version understands.
bool read_state(IBStream& stream, Values& values);

}  // namespace pyvocsep::vst3
