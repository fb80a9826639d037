#include "model/embedded.h"

#include <cstddef>
#include <cstdint>

namespace pyvocsep {

#if defined(PYVOCSEP_EMBED_WEIGHTS)
extern const uint64_t kEmbeddedWords[];  // the bytes, padded to whole words; the first byte is the lowest
extern const size_t kEmbeddedBytes;

std::string_view embedded_model() { return {reinterpret_cast<const char*>(kEmbeddedWords), kEmbeddedBytes}; }
#else
std::string_view embedded_model() { return {}; }
#endif

}  // namespace pyvocsep
