#include "plugins/lv2/plugin.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "plugins/common/weights.h"

namespace pyvocsep::lv2 {

namespace {

constexpr WeightFolders kWeights{.bundle = "weights", .package = "../../models"};

double initial(ControlPort port) {
  switch (port) {
    case kVocalsPort: return plain(kVocals, kParameters[kVocals].initial);
    case kAccompanimentPort: return plain(kAccompaniment, kParameters[kAccompaniment].initial);
    case kModelPort: return kParameters[kModel].initial;
    default: return 1.0 - kParameters[kBypass].initial;
  }
}

}  // namespace

Plugin::Plugin(double sample_rate, int channels, const WorkerSchedule* worker)
    : sample_rate_(sample_rate), channels_(channels), worker_(worker) {
  for (int model = 0; model < kModelCount; ++model) {
    if (worker_ != nullptr && model != kParameters[kModel].initial) continue;
    effects_[model] = std::make_unique<Effect>(load_model(model, kWeights), sample_rate_, channels_);
    made_[model] = effects_[model].get();
  }
  effect_ = made_[kParameters[kModel].initial];
  if (!effect_->separates())
    std::fprintf(
        stderr,
        "pyvocsep.lv2: at %.0f Hz the sound goes through as it is, %d samples late: %d to %d Hz can be separated\n",
        sample_rate_, effect_->latency(), PYVOCSEP_MIN_SAMPLE_RATE, PYVOCSEP_MAX_SAMPLE_RATE);
}

void Plugin::connect(uint32_t port, void* data) noexcept {
  const uint32_t channels = static_cast<uint32_t>(channels_);
  float* const floats = static_cast<float*>(data);
  if (port < channels)
    in_[port] = floats;
  else if (port < 2 * channels)
    out_[port - channels] = floats;
  else if (port - 2 * channels < kControlPorts)
    controls_[port - 2 * channels] = floats;
}

void Plugin::activate() noexcept {
  asked_.fill(false);  // what the worker could not make is tried once more
  effect_->reset();
}

void Plugin::run(uint32_t samples) noexcept {
  choose(nearest(control(kModelPort), kParameters[kModel].steps));
  if (controls_[kLatencyPort] != nullptr) *controls_[kLatencyPort] = static_cast<float>(effect_->latency());
  if (samples == 0) return;
  effect_->set(gain(from_plain(kVocals, control(kVocalsPort))),
               gain(from_plain(kAccompaniment, control(kAccompanimentPort))), control(kEnabledPort) <= 0);
  effect_->process(in_.data(), out_.data(), static_cast<int>(samples));
}

bool Plugin::make(int model) noexcept {
  try {
    effects_[model] = std::make_unique<Effect>(load_model(model, kWeights), sample_rate_, channels_);
    made_[model].store(effects_[model].get(), std::memory_order_release);
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyvocsep.lv2: %s\n", error.what());
    return false;
  }
}

// The value of a control; its default where the host has not connected the port.
double Plugin::control(ControlPort port) const noexcept {
  return controls_[port] != nullptr ? static_cast<double>(*controls_[port]) : initial(port);
}

// Until the wanted model's effect is made, the one in use goes on.
void Plugin::choose(int model) noexcept {
  if (made_[model].load(std::memory_order_acquire) == nullptr && !asked_[model])
    asked_[model] = worker_->schedule_work(worker_->handle, sizeof model, &model) == kWorkerSuccess;
  Effect* const wanted = made_[model].load(std::memory_order_acquire);  // some workers work at once
  if (wanted == nullptr || wanted == effect_) return;
  wanted->reset();
  effect_ = wanted;
}

}  // namespace pyvocsep::lv2
