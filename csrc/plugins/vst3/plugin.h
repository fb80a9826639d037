// The plugin as hosts see it: component, processor and controller in one object, since all they share is a few
// parameters.
//
// Hosts call process() from an audio thread and everything else from other threads. The threads share the parameters'
// values, which are atomic, and the effect, which one thread uses at a time. VST3 says that process() does not run
// while a plugin is started or stopped, but some hosts (Ardour) do it: process() then gives silence instead of waiting.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "plugins/common/effect.h"
#include "plugins/vst3/abi.h"
#include "plugins/vst3/parameters.h"
#include "plugins/vst3/state.h"

namespace pyvocsep::vst3 {

class Plugin final : public IComponent,
                     public IAudioProcessor,
                     public IProcessContextRequirements,
                     public IEditController {
 public:
  static constexpr Uid kClassId = uid(0x6E0B8F1D, 0x53C94A27, 0x9F41D2A6, 0x70B35CE8);

  Plugin();  // the caller holds the first reference

  Result queryInterface(const Uid& id, void** object) override;
  uint32_t addRef() override;
  uint32_t release() override;

  Result initialize(FUnknown* context) override;
  Result terminate() override;

  Result getControllerClassId(Uid& id) override;
  Result setIoMode(int32_t mode) override;
  int32_t getBusCount(int32_t media, int32_t direction) override;
  Result getBusInfo(int32_t media, int32_t direction, int32_t index, BusInfo& bus) override;
  Result getRoutingInfo(RoutingInfo& in, RoutingInfo& out) override;
  Result activateBus(int32_t media, int32_t direction, int32_t index, Bool state) override;
  Result setActive(Bool state) override;
  Result setState(IBStream* stream) override;  // of IComponent and of IEditController
  Result getState(IBStream* stream) override;

  Result setBusArrangements(SpeakerArrangement* inputs, int32_t numIns, SpeakerArrangement* outputs,
                            int32_t numOuts) override;
  Result getBusArrangement(int32_t direction, int32_t index, SpeakerArrangement& arrangement) override;
  Result canProcessSampleSize(int32_t symbolicSampleSize) override;
  uint32_t getLatencySamples() override;
  Result setupProcessing(ProcessSetup& setup) override;
  Result setProcessing(Bool state) override;
  Result process(ProcessData& data) override;
  uint32_t getTailSamples() override;

  uint32_t getProcessContextRequirements() override;

  Result setComponentState(IBStream* stream) override;
  int32_t getParameterCount() override;
  Result getParameterInfo(int32_t index, ParameterInfo& info) override;
  Result getParamStringByValue(ParamId id, double normalized, String128 string) override;
  Result getParamValueByString(ParamId id, char16_t* string, double& normalized) override;
  double normalizedParamToPlain(ParamId id, double normalized) override;
  double plainParamToNormalized(ParamId id, double plain) override;
  double getParamNormalized(ParamId id) override;
  Result setParamNormalized(ParamId id, double normalized) override;
  Result setComponentHandler(IComponentHandler* handler) override;
  void* createView(const char* name) override;

 private:
  // The settings that an effect is created for: a change of them needs a new effect.
  struct Setup {
    int model = 0;
    double sample_rate = 44100;
    int channels = 2;
    bool operator==(const Setup&) const = default;
  };

  ~Plugin();

  bool prepare();
  Result run(ProcessData& data);
  void take(IParameterChanges& changes);
  void use_model(int model, bool at_once);
  void tell_latency();

  std::atomic<uint32_t> references_{1};
  std::array<std::atomic<int>, kParameterCount> values_;
  double sample_rate_ = 44100;
  int channels_ = 2;
  bool active_ = false;
  Setup setup_;                     // of effect_
  std::unique_ptr<Effect> effect_;  // null until prepare() succeeds
  std::atomic_flag effect_taken_;
  std::atomic<int> effect_wanted_{0};  // threads that wait for it
  IComponentHandler* handler_ = nullptr;
  bool latency_untold_ = false;  // it has changed, and there was no handler to tell
};

}  // namespace pyvocsep::vst3
