// Any bytes as a model file. The mutator of the fuzzer's own breaks the header's length nearly always, and then nothing
// behind it is reached: ours mutates the header, or the data, and sets the length right in most cases.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "fuzz/load_and_run.h"
#include "tests/small_models.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

uint64_t header_size(const uint8_t* data, size_t size) {
  uint64_t header = 0;
  if (size >= 8) std::memcpy(&header, data, 8);
  return size >= 8 ? std::min<uint64_t>(header, size - 8) : 0;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  if (size < 8 || seed % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const size_t header = header_size(data, size);
  if (seed % 16 == 1) return 8 + header + LLVMFuzzerMutate(data + 8 + header, size - 8 - header, max_size - 8 - header);
  std::string text(data + 8, data + 8 + header);
  const std::string rest(data + 8 + header, data + size);
  text.resize(header + 256);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), header, text.size()));
  if (8 + text.size() + rest.size() > max_size) return size;
  const uint64_t now = text.size();
  std::memcpy(data, &now, 8);
  std::memcpy(data + 8, text.data(), text.size());
  std::memcpy(data + 8 + text.size(), rest.data(), rest.size());
  return 8 + text.size() + rest.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pyvocsep::fuzz::load_and_run({reinterpret_cast<const char*>(data), size}, pyvocsep::Precision::kFloat32, 2);
  return 0;
}
