// Any bytes as a state of the VST3 plugin, handed over in pieces of any size, and as the text of a parameter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "plugins/vst3/plugin.h"

// With external linkage, as all that a host implements: see abi.h.
namespace pyvocsep::fuzz {

using namespace pyvocsep::vst3;

class Stream final : public IBStream {
 public:
  std::string bytes;

  Stream(std::string content, int32_t piece) : bytes(std::move(content)), piece_(piece) {}
  Result queryInterface(const Uid&, void** object) override {
    *object = nullptr;
    return kNoInterface;
  }
  uint32_t addRef() override { return 1; }
  uint32_t release() override { return 1; }
  Result read(void* buffer, int32_t size, int32_t* count) override {
    *count = std::min({size, piece_, static_cast<int32_t>(bytes.size() - at_)});
    std::memcpy(buffer, bytes.data() + at_, static_cast<size_t>(*count));
    at_ += static_cast<size_t>(*count);
    return kResultOk;
  }
  Result write(void* buffer, int32_t size, int32_t* count) override {
    *count = std::min(size, piece_);
    bytes.append(static_cast<const char*>(buffer), static_cast<size_t>(*count));
    return kResultOk;
  }
  Result seek(int64_t, int32_t, int64_t*) override { return kNotImplemented; }
  Result tell(int64_t*) override { return kNotImplemented; }

 private:
  size_t at_ = 0;
  int32_t piece_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace pyvocsep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pyvocsep::fuzz;
  if (size == 0) return 0;
  const int32_t piece = 1 + data[0] % 32;
  const std::string content(data + 1, data + size);
  Plugin* const plugin = new Plugin;
  Stream before("", 100), given(content, piece), after("", piece);
  require(plugin->getState(&before) == kResultOk);
  const bool accepted = plugin->setState(&given) == kResultOk;
  require(plugin->getState(&after) == kResultOk);
  // What is refused changes nothing; what is accepted is what was given.
  require(after.bytes == (accepted ? content.substr(0, after.bytes.size()) : before.bytes));

  char16_t text[128] = {};
  std::memcpy(text, content.data(), std::min(content.size(), sizeof text - sizeof text[0]));
  for (ParamId id = 0; id < kParameterCount + 1; ++id) {
    double value = 0.5;
    if (plugin->getParamValueByString(id, text, value) == kResultOk) require(value >= 0 && value <= 1);
    double number = 0;
    std::memcpy(&number, content.data(), std::min(content.size(), sizeof number));
    if (id != kModel) plugin->setParamNormalized(id, number);
    const double now = plugin->getParamNormalized(id);
    require(now >= 0 && now <= 1);
    String128 shown;
    plugin->getParamStringByValue(id, number, shown);
    plugin->normalizedParamToPlain(id, number);
    plugin->plainParamToNormalized(id, number);
  }
  require(plugin->release() == 0);
  return 0;
}
