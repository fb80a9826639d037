// What the hosts of the plugins send through them.
#pragma once

#include <random>
#include <vector>

using Channel = std::vector<float>;
using Audio = std::vector<Channel>;

inline Audio noise(int channels, int n) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  Audio audio(channels, Channel(n));
  for (Channel& channel : audio)
    for (float& v : channel) v = normal(random);
  return audio;
}
