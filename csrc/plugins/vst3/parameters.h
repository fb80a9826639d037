// The parameters. Each has equal steps, so that a value is an integer with the same meaning in a host's slider, as text
// and in a saved state.
#pragma once

#include <array>
#include <iterator>
#include <string>

#include "plugins/vst3/abi.h"

namespace pyvocsep::vst3 {

enum Parameter : ParamId { kVocals, kAccompaniment, kModel, kBypass, kParameterCount };

// Saved states hold indices into this list: only append to it.
constexpr const char* kModelNames[] = {"band-gru", "gru"};

struct ParameterDescription {
  const char16_t* title;
  const char16_t* units;
  int steps;  // values are 0 to this
  int initial;
  int32_t flags;
};

// A level's value is tenths of a decibel above -88 dB, up to +12 dB; 0 is silence. A thousand steps, because some hosts
// (pedalboard) offer no more than that: every tenth can be set there.
constexpr int kUnityGain = 880;

// All are marked as automatable, also the model: some hosts (Ardour) show no other parameters.
constexpr std::array<ParameterDescription, kParameterCount> kParameters{{
    {u"Vocals", u"dB", 1000, kUnityGain, kCanAutomate},
    {u"Accompaniment", u"dB", 1000, kUnityGain - 600, kCanAutomate},
    {u"Model", u"", static_cast<int>(std::size(kModelNames)) - 1, 0, kCanAutomate | kIsList},
    {u"Bypass", u"", 1, 0, kCanAutomate | kIsBypass},
}};

// The linear gain of a level, 10^(dB/20).
float gain(int level);

// A value as VST3's normalized number, 0 to 1.
double normalized(ParamId id, int value);
int from_normalized(ParamId id, double normalized);  // the nearest
// A value in its unit; a level in dB.
double plain(ParamId id, int value);
int from_plain(ParamId id, double plain);  // the nearest
// A value as text.
std::string text(ParamId id, int value);
bool from_text(ParamId id, const std::string& text, int& value);  // false if the text names no value

}  // namespace pyvocsep::vst3
