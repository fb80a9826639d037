// The parameters of every plugin format. Each has equal steps, so that a value is an integer with the same meaning in a
// host's slider, as text and in a saved state.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>

namespace pyvocsep::plugins {

enum Parameter : uint32_t { kVocals, kAccompaniment, kModel, kBypass, kParameterCount };

// Saved states hold indices into this list: only append to it.
constexpr const char* kModelNames[] = {"band-gru", "gru"};
constexpr int kModelCount = static_cast<int>(std::size(kModelNames));

struct ParameterDescription {
  const char* title;
  const char* unit;
  int steps;  // values are 0 to this
  int initial;
};

// A level's value is tenths of a decibel above -88 dB, up to +12 dB; 0 is silence. A thousand steps, because some hosts
// (pedalboard) offer no more than that: every tenth can be set there.
constexpr int kUnityGain = 880;

constexpr std::array<ParameterDescription, kParameterCount> kParameters{{
    {"Vocals", "dB", 1000, kUnityGain},
    {"Accompaniment", "dB", 1000, kUnityGain - 600},
    {"Model", "", kModelCount - 1, 0},
    {"Bypass", "", 1, 0},
}};

constexpr bool is_level(uint32_t id) { return id == kVocals || id == kAccompaniment; }

// The linear gain of a level, 10^(dB/20).
float gain(int level);

// A number as a value from 0 to `steps`: the nearest; NaN gives 0.
int nearest(double number, int steps);

// A value in its unit; a level in dB.
double plain(uint32_t id, int value);
int from_plain(uint32_t id, double plain);  // the nearest

}  // namespace pyvocsep::plugins
