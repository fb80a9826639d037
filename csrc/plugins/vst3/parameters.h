// What the user can set. Every parameter has equal steps, so that a value is an integer: it means the same in a slider
// of a host, in its text and in a saved state.
#pragma once

#include <array>
#include <iterator>
#include <string>

#include "plugins/vst3/abi.h"

namespace pyvocsep::vst3 {

enum Parameter : ParamId { kVocals, kAccompaniment, kModel, kBypass, kParameterCount };

// The order is that of saved states: names are only added.
constexpr const char* kModelNames[] = {"band-gru", "gru"};

struct ParameterDescription {
  const char16_t* title;
  const char16_t* units;
  int steps;  // values are 0 to this
  int initial;
  int32_t flags;
};

// A level's value is tenths of a decibel above -88 dB, up to +12 dB; 0 is silence. A thousand steps, because hosts
// (pedalboard) look at no more than that: every tenth can be set there.
constexpr int kUnityGain = 880;

// All can be automated, which means little for the model: but hosts (Ardour) show no others.
constexpr std::array<ParameterDescription, kParameterCount> kParameters{{
    {u"Vocals", u"dB", 1000, kUnityGain, kCanAutomate},
    {u"Accompaniment", u"dB", 1000, kUnityGain - 600, kCanAutomate},
    {u"Model", u"", static_cast<int>(std::size(kModelNames)) - 1, 0, kCanAutomate | kIsList},
    {u"Bypass", u"", 1, 0, kCanAutomate | kIsBypass},
}};

// The level's factor, 10^(dB/20).
float gain(int level);

// Hosts know a value as a number between 0 and 1, ...
double normalized(ParamId id, int value);
int from_normalized(ParamId id, double normalized);  // the nearest
// ... as a number with a unit (a level in dB), ...
double plain(ParamId id, int value);
int from_plain(ParamId id, double plain);  // the nearest
// ... and as text.
std::string text(ParamId id, int value);
bool from_text(ParamId id, const std::string& text, int& value);  // false if it means nothing

}  // namespace pyvocsep::vst3
