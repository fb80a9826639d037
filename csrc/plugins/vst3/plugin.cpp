#include "plugins/vst3/plugin.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>
#include <thread>

#include "plugins/common/weights.h"
#include "pyvocsep/limits.h"

namespace pyvocsep::vst3 {

namespace {

constexpr WeightFolders kWeights{.bundle = "../Resources", .package = "../../../../models"};

// VST3's strings hold 128 characters, the end included.
void copy(const char16_t* from, String128 to) {
  size_t i = 0;
  for (; from[i] != 0 && i + 1 < 128; ++i) to[i] = from[i];
  to[i] = 0;
}

void copy(const std::string& ascii, String128 to) { copy(std::u16string(ascii.begin(), ascii.end()).c_str(), to); }

// Other characters than ASCII become '?': they are part of no parameter's text.
std::string ascii(const char16_t* from) {
  std::string to;
  for (size_t i = 0; i < 128 && from[i] != 0; ++i) to += from[i] < 128 ? static_cast<char>(from[i]) : '?';
  return to;
}

// Writes to the standard error: a VST3 result is a code without a message.
void report(const std::exception& error) { std::fprintf(stderr, "pyvocsep.vst3: %s\n", error.what()); }

// Holds the flag while in scope; waits until no other thread holds it. `wanted` counts who waits: a thread that takes
// the flag over and over, as one for audio does, leaves it to them.
class Take {
 public:
  Take(std::atomic_flag& taken, std::atomic<int>& wanted) : taken_(taken) {
    ++wanted;
    while (taken_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    --wanted;
  }
  ~Take() { taken_.clear(std::memory_order_release); }
  Take(const Take&) = delete;
  Take& operator=(const Take&) = delete;

 private:
  std::atomic_flag& taken_;
};

void silence(AudioBusBuffers& bus, int samples) {
  for (int c = 0; c < bus.numChannels; ++c) std::fill_n(bus.channelBuffers32[c], samples, 0.0f);
}

bool is_bus(int32_t media, int32_t direction, int32_t index) {
  return media == kAudio && (direction == kInput || direction == kOutput) && index == 0;
}

}  // namespace

Plugin::Plugin() {
  for (size_t id = 0; id < kParameterCount; ++id) values_[id] = kParameters[id].initial;
}

Plugin::~Plugin() { setComponentHandler(nullptr); }

Result Plugin::queryInterface(const Uid& id, void** object) {
  if (object == nullptr) return kInvalidArgument;
  // FUnknown and IPluginBase are inherited several times: the pointer is that of the component.
  if (id == FUnknown::kId || id == IPluginBase::kId || id == IComponent::kId)
    *object = static_cast<IComponent*>(this);
  else if (id == IAudioProcessor::kId)
    *object = static_cast<IAudioProcessor*>(this);
  else if (id == IProcessContextRequirements::kId)
    *object = static_cast<IProcessContextRequirements*>(this);
  else if (id == IEditController::kId)
    *object = static_cast<IEditController*>(this);
  else {
    *object = nullptr;
    return kNoInterface;
  }
  addRef();
  return kResultOk;
}

uint32_t Plugin::addRef() { return ++references_; }

uint32_t Plugin::release() {
  const uint32_t left = --references_;
  if (left == 0) delete this;
  return left;
}

// Fails without the default model, so that the host reports a plugin that does not load instead of a silent one.
Result Plugin::initialize(FUnknown*) {
  try {
    load_model(kParameters[kModel].initial, kWeights);
    return kResultOk;
  } catch (const std::exception& error) {
    report(error);
    return kResultFalse;
  }
}

Result Plugin::terminate() {
  {
    const Take mine(effect_taken_, effect_wanted_);
    effect_.reset();
  }
  return setComponentHandler(nullptr);
}

Result Plugin::getControllerClassId(Uid&) { return kNotImplemented; }  // the controller is this object

Result Plugin::setIoMode(int32_t) { return kNotImplemented; }

int32_t Plugin::getBusCount(int32_t media, int32_t direction) { return is_bus(media, direction, 0) ? 1 : 0; }

Result Plugin::getBusInfo(int32_t media, int32_t direction, int32_t index, BusInfo& bus) {
  if (!is_bus(media, direction, index)) return kInvalidArgument;
  bus = {.mediaType = media,
         .direction = direction,
         .channelCount = channels_,
         .name = {},
         .busType = kMain,
         .flags = kDefaultActive};
  copy(direction == kInput ? u"Input" : u"Output", bus.name);
  return kResultOk;
}

Result Plugin::getRoutingInfo(RoutingInfo&, RoutingInfo&) { return kNotImplemented; }

Result Plugin::activateBus(int32_t media, int32_t direction, int32_t index, Bool) {
  return is_bus(media, direction, index) ? kResultOk : kInvalidArgument;
}

// Resets the effect on deactivation and not on activation: some hosts activate again in the middle of a stream.
Result Plugin::setActive(Bool state) {
  active_ = state != 0;
  if (active_) return prepare() ? kResultOk : kResultFalse;
  const Take mine(effect_taken_, effect_wanted_);
  if (effect_) effect_->reset();
  return kResultOk;
}

Result Plugin::setState(IBStream* stream) {
  Values values;
  if (stream == nullptr || !read_state(*stream, values)) return kResultFalse;
  for (ParamId id = 0; id < kParameterCount; ++id)
    if (id != kModel) values_[id] = values[id];
  const bool changes = values_[kModel] != values[kModel];
  use_model(values[kModel], true);
  if (changes && !effect_) tell_latency();  // hosts that have asked already, before they set anything up, ask again
  return kResultOk;
}

Result Plugin::getState(IBStream* stream) {
  Values values;
  std::copy(values_.begin(), values_.end(), values.begin());
  return stream != nullptr && write_state(values, *stream) ? kResultOk : kResultFalse;
}

Result Plugin::setBusArrangements(SpeakerArrangement* inputs, int32_t numIns, SpeakerArrangement* outputs,
                                  int32_t numOuts) {
  if (active_ || numIns != 1 || numOuts != 1 || inputs[0] != outputs[0]) return kResultFalse;
  if (inputs[0] != kMono && inputs[0] != kStereo) return kResultFalse;
  channels_ = inputs[0] == kMono ? 1 : 2;
  return kResultOk;
}

Result Plugin::getBusArrangement(int32_t direction, int32_t index, SpeakerArrangement& arrangement) {
  if (!is_bus(kAudio, direction, index)) return kInvalidArgument;
  arrangement = channels_ == 1 ? kMono : kStereo;
  return kResultOk;
}

Result Plugin::canProcessSampleSize(int32_t symbolicSampleSize) {
  return symbolicSampleSize == kSample32 ? kResultOk : kResultFalse;
}

uint32_t Plugin::getLatencySamples() { return effect_ ? static_cast<uint32_t>(effect_->latency()) : 0; }

// Creates the effect, because hosts ask for the latency after this and before they activate. Some hosts call it again
// in the middle of a stream, with larger blocks: prepare() then keeps the effect and its stream.
Result Plugin::setupProcessing(ProcessSetup& setup) {
  if (setup.symbolicSampleSize != kSample32) return kResultFalse;
  sample_rate_ = setup.sampleRate;
  return prepare() ? kResultOk : kResultFalse;
}

Result Plugin::setProcessing(Bool) { return kResultOk; }

Result Plugin::process(ProcessData& data) {
  if (data.inputParameterChanges != nullptr) take(*data.inputParameterChanges);
  if (data.numSamples <= 0 || data.numOutputs < 1) return kResultOk;  // only parameter changes, or no output
  if (data.symbolicSampleSize != kSample32) return kInvalidArgument;
  data.outputs[0].silenceFlags = 0;
  if (effect_wanted_ != 0 || effect_taken_.test_and_set(std::memory_order_acquire)) {
    silence(data.outputs[0], data.numSamples);
    return kResultOk;
  }
  const Result result = run(data);
  effect_taken_.clear(std::memory_order_release);
  return result;
}

Result Plugin::run(ProcessData& data) {
  AudioBusBuffers& out = data.outputs[0];
  const bool fits = effect_ && out.numChannels == effect_->channels() && data.numInputs >= 1 &&
                    data.inputs[0].numChannels == effect_->channels();
  if (!fits) {
    silence(out, data.numSamples);
    return kInvalidArgument;
  }
  effect_->set(gain(values_[kVocals]), gain(values_[kAccompaniment]), values_[kBypass] != 0);
  effect_->process(data.inputs[0].channelBuffers32, out.channelBuffers32, data.numSamples);
  return kResultOk;
}

uint32_t Plugin::getTailSamples() { return kNoTail; }  // the output of silence is silent once the latency has passed

uint32_t Plugin::getProcessContextRequirements() { return 0; }

// Asks the host to read the parameters again: some hosts do not after they load a preset.
Result Plugin::setComponentState(IBStream* stream) {
  const Result result = setState(stream);
  if (result == kResultOk && handler_ != nullptr) handler_->restartComponent(kParamValuesChanged);
  return result;
}

int32_t Plugin::getParameterCount() { return kParameterCount; }

Result Plugin::getParameterInfo(int32_t index, ParameterInfo& info) {
  if (index < 0 || index >= static_cast<int32_t>(kParameterCount)) return kInvalidArgument;
  const ParamId id = static_cast<ParamId>(index);
  const ParameterDescription& parameter = kParameters[id];
  info = {.id = id,
          .title = {},
          .shortTitle = {},
          .units = {},
          .stepCount = parameter.steps,
          .defaultNormalizedValue = normalized(id, parameter.initial),
          .unitId = 0,
          .flags = flags(id)};
  copy(parameter.title, info.title);
  copy(parameter.title, info.shortTitle);
  copy(parameter.unit, info.units);
  return kResultOk;
}

Result Plugin::getParamStringByValue(ParamId id, double value, String128 string) {
  if (id >= kParameterCount) return kInvalidArgument;
  copy(text(id, from_normalized(id, value)), string);
  return kResultOk;
}

Result Plugin::getParamValueByString(ParamId id, char16_t* string, double& result) {
  int value = 0;
  if (id >= kParameterCount || !from_text(id, ascii(string), value)) return kInvalidArgument;
  result = normalized(id, value);
  return kResultOk;
}

double Plugin::normalizedParamToPlain(ParamId id, double value) {
  return id < kParameterCount ? plain(id, from_normalized(id, value)) : 0;
}

double Plugin::plainParamToNormalized(ParamId id, double value) {
  return id < kParameterCount ? normalized(id, from_plain(id, value)) : 0;
}

double Plugin::getParamNormalized(ParamId id) { return id < kParameterCount ? normalized(id, values_[id]) : 0; }

Result Plugin::setParamNormalized(ParamId id, double value) {
  if (id >= kParameterCount) return kInvalidArgument;
  if (id == kModel)
    use_model(from_normalized(id, value), false);
  else
    values_[id] = from_normalized(id, value);
  return kResultOk;
}

Result Plugin::setComponentHandler(IComponentHandler* handler) {
  if (handler != nullptr) handler->addRef();
  if (handler_ != nullptr) handler_->release();
  handler_ = handler;
  if (latency_untold_) tell_latency();
  return kResultOk;
}

void* Plugin::createView(const char*) { return nullptr; }

// Creates the effect that the setup asks for; an effect that fits is kept, and its stream with it.
bool Plugin::prepare() {
  const Setup wanted{values_[kModel], sample_rate_, channels_};
  if (effect_ && setup_ == wanted) return true;
  std::unique_ptr<Effect> made;
  try {
    made = std::make_unique<Effect>(load_model(wanted.model, kWeights), wanted.sample_rate, wanted.channels);
  } catch (const std::exception& error) {
    report(error);
  }
  if (made && !made->separates())
    std::fprintf(
        stderr,
        "pyvocsep.vst3: at %.0f Hz the sound goes through as it is, %d samples late: %d to %d Hz can be separated\n",
        wanted.sample_rate, made->latency(), PYVOCSEP_MIN_SAMPLE_RATE, PYVOCSEP_MAX_SAMPLE_RATE);
  setup_ = wanted;
  const Take mine(effect_taken_, effect_wanted_);
  effect_.swap(made);
  return effect_ != nullptr;
}

// Takes the last point of each parameter only: blocks are short, and the effect ramps to new values.
void Plugin::take(IParameterChanges& changes) {
  for (int32_t i = 0; i < changes.getParameterCount(); ++i) {
    IParamValueQueue* const queue = changes.getParameterData(i);
    if (queue == nullptr) continue;
    const ParamId id = queue->getParameterId();
    const int32_t points = queue->getPointCount();
    int32_t offset = 0;
    double value = 0;
    if (id < kParameterCount && points > 0 && queue->getPoint(points - 1, offset, value) == kResultOk)
      values_[id] = from_normalized(id, value);
  }
}

// Asks the host to restart the plugin, which changes the model: the effect in use keeps the old one until then. With
// `at_once` it changes now: a restored state begins a new stream anyway, and some hosts (Ardour) only ask for the
// latency again instead of restarting the plugin.
void Plugin::use_model(int model, bool at_once) {
  values_[kModel] = model;
  if (!effect_ || setup_.model == model) return;
  if (at_once || !active_) prepare();
  tell_latency();
}

// Asks the host to restart the plugin, as it must for another latency; where there is no handler yet, once there is
// one.
void Plugin::tell_latency() {
  latency_untold_ = handler_ == nullptr;
  if (handler_ != nullptr) handler_->restartComponent(kLatencyChanged);
}

}  // namespace pyvocsep::vst3
