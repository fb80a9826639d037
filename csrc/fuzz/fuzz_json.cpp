// Any bytes as JSON: parsed or refused, and never more memory than is in proportion.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "model/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    pyvocsep::Json::parse({reinterpret_cast<const char*>(data), size});
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
