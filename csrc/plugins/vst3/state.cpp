#include "plugins/vst3/state.h"

#include <cstring>

namespace pyvocsep::vst3 {

namespace {

constexpr char kMagic[4] = {'p', 'v', 'c', 's'};
constexpr uint32_t kVersion = 1;
constexpr size_t kWord = 4, kHeader = sizeof kMagic + kWord;

using Bytes = std::array<uint8_t, kHeader + kWord * kParameterCount>;

void store(uint8_t* bytes, uint32_t word) {
  for (size_t i = 0; i < kWord; ++i) bytes[i] = static_cast<uint8_t>(word >> (8 * i));
}

uint32_t load(const uint8_t* bytes) {
  uint32_t word = 0;
  for (size_t i = 0; i < kWord; ++i) word |= static_cast<uint32_t>(bytes[i]) << (8 * i);
  return word;
}

// Calls `step` with the bytes that are left until there are none or it fails: a stream may read or write fewer bytes
// than it is asked to.
template <typename Step>
bool transfer(Bytes& bytes, const Step& step) {
  int32_t done = 0;
  while (done < static_cast<int32_t>(bytes.size())) {
    const int32_t left = static_cast<int32_t>(bytes.size()) - done;
    int32_t count = 0;
    if (step(bytes.data() + done, left, &count) != kResultOk || count <= 0 || count > left) return false;
    done += count;
  }
  return true;
}

}  // namespace

bool write_state(const Values& values, IBStream& stream) {
  Bytes bytes;
  std::memcpy(bytes.data(), kMagic, sizeof kMagic);
  store(bytes.data() + sizeof kMagic, kVersion);
  for (size_t id = 0; id < kParameterCount; ++id)
    store(bytes.data() + kHeader + kWord * id, static_cast<uint32_t>(values[id]));
  return transfer(bytes, [&](void* data, int32_t size, int32_t* count) { return stream.write(data, size, count); });
}

bool read_state(IBStream& stream, Values& values) {
  Bytes bytes;
  if (!transfer(bytes, [&](void* data, int32_t size, int32_t* count) { return stream.read(data, size, count); }))
    return false;
  if (std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0 || load(bytes.data() + sizeof kMagic) != kVersion)
    return false;
  Values read;
  for (size_t id = 0; id < kParameterCount; ++id) {
    const uint32_t value = load(bytes.data() + kHeader + kWord * id);
    if (value > static_cast<uint32_t>(kParameters[id].steps)) return false;
    read[id] = static_cast<int>(value);
  }
  values = read;
  return true;
}

}  // namespace pyvocsep::vst3
