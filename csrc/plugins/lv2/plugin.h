// The LV2 plugin: ports around the effect that it shares with the VST3. Its whole state is the values of its control
// ports, which hosts save and restore.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "plugins/common/effect.h"
#include "plugins/common/parameters.h"
#include "plugins/lv2/abi.h"
#include "pyvocsep/limits.h"

namespace pyvocsep::lv2 {

using namespace plugins;

// Indices of the ports are those of pyvocsep.ttl.in: the inputs, the outputs, then these.
enum ControlPort : uint32_t { kVocalsPort, kAccompanimentPort, kModelPort, kEnabledPort, kLatencyPort, kControlPorts };

// An effect takes memory and time to make, so each model's is made once: the initial one with the plugin, others when
// they are first wanted, by the host's worker. A host without a worker gets all of them at the start.
class Plugin {
 public:
  // `worker` may be null. Throws what Effect and load_model throw.
  Plugin(double sample_rate, int channels, const WorkerSchedule* worker);

  void connect(uint32_t port, void* data) noexcept;
  // Begins a new stream.
  void activate() noexcept;
  // Real-time safe. With 0 samples it only takes the model and tells the latency.
  void run(uint32_t samples) noexcept;
  // What run() asks the worker for: makes a model's effect, which run() takes when it is there.
  bool make(int model) noexcept;

 private:
  double control(ControlPort port) const noexcept;
  void choose(int model) noexcept;

  double sample_rate_;
  int channels_;
  const WorkerSchedule* worker_;
  std::array<std::unique_ptr<Effect>, kModelCount> effects_;  // filled by the worker while the plugin runs
  std::array<std::atomic<Effect*>, kModelCount> made_{};      // those of effects_ that run() may use
  std::array<bool, kModelCount> asked_{};                     // of the worker
  Effect* effect_ = nullptr;                                  // in use
  std::array<const float*, PYVOCSEP_MAX_CHANNELS> in_{};
  std::array<float*, PYVOCSEP_MAX_CHANNELS> out_{};
  std::array<float*, kControlPorts> controls_{};
};

}  // namespace pyvocsep::lv2
