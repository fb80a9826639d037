// The default model inside the library: bytes of its file, from a source that cmake/embed.cmake writes.
#pragma once

#include <string_view>

namespace pyvocsep {

// Empty unless the library was built with PYVOCSEP_EMBED_WEIGHTS.
std::string_view embedded_model();

}  // namespace pyvocsep
