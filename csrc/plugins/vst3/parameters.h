// The parameters as VST3 has them: numbers from 0 to 1, text, flags.
#pragma once

#include <string>

#include "plugins/common/parameters.h"
#include "plugins/vst3/abi.h"

namespace pyvocsep::vst3 {

using namespace plugins;

// All are marked as automatable, also the model: some hosts (Ardour) show no other parameters.
constexpr int32_t flags(ParamId id) {
  return kCanAutomate | (id == kModel ? kIsList : 0) | (id == kBypass ? kIsBypass : 0);
}

// A value as VST3's normalized number, 0 to 1.
double normalized(ParamId id, int value);
int from_normalized(ParamId id, double normalized);  // the nearest
// A value as text.
std::string text(ParamId id, int value);
bool from_text(ParamId id, const std::string& text, int& value);  // false if the text names no value

}  // namespace pyvocsep::vst3
