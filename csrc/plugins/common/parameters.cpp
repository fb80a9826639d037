#include "plugins/common/parameters.h"

#include <algorithm>
#include <cmath>

namespace pyvocsep::plugins {

namespace {

double decibels(int level) { return (level - kUnityGain) / 10.0; }

}  // namespace

float gain(int level) { return level == 0 ? 0.0f : static_cast<float>(std::pow(10.0, decibels(level) / 20)); }

int nearest(double number, int steps) {
  return static_cast<int>(std::lround(std::max(0.0, std::min<double>(number, steps))));
}

double plain(uint32_t id, int value) { return is_level(id) ? decibels(value) : value; }

int from_plain(uint32_t id, double plain) {
  return nearest(is_level(id) ? plain * 10 + kUnityGain : plain, kParameters[id].steps);
}

}  // namespace pyvocsep::plugins
