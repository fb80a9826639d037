// A host that loads the built plugin and calls its interfaces as hosts do, one by one.
#include <doctest/doctest.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "nn/model_impl.h"
#include "plugins/vst3/abi.h"
#include "pyvocsep/stem_mixer.h"
#include "tests/allocations.h"
#include "tests/plugin_audio.h"

using namespace pyvocsep;
using namespace pyvocsep::vst3;

namespace {

enum : ParamId { kVocals, kAccompaniment, kModel, kBypass, kParameters };

const Model& model(int index) {
  static const std::string folder = PYVOCSEP_MODELS "/";
  static const Model models[] = {Model(folder + "band-gru.safetensors"), Model(folder + "gru.safetensors")};
  return models[index];
}

// The plugin's library, and what it exports.
#if defined(_WIN32)
constexpr const char *kEnter = "InitDll", *kExit = "ExitDll";
void* open_library() { return LoadLibraryA(PYVOCSEP_VST3); }
void* symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}
#else
#if defined(__APPLE__)
constexpr const char *kEnter = "bundleEntry", *kExit = "bundleExit";
#else
constexpr const char *kEnter = "ModuleEntry", *kExit = "ModuleExit";
#endif
void* open_library() {
  void* const library = dlopen(PYVOCSEP_VST3, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) MESSAGE(dlerror());
  return library;
}
void* symbol(void* library, const char* name) { return dlsym(library, name); }
#endif

IPluginFactory3& factory() {
  static IPluginFactory3* const factory = [] {
    void* const library = open_library();
    REQUIRE(library != nullptr);
    const auto enter = reinterpret_cast<bool (*)(void*)>(symbol(library, kEnter));  // which takes nothing on Windows
    REQUIRE((enter != nullptr));
    REQUIRE(symbol(library, kExit) != nullptr);
    REQUIRE(enter(library));
    const auto get = reinterpret_cast<IPluginFactory* (*)()>(symbol(library, "GetPluginFactory"));
    REQUIRE((get != nullptr));
    void* object = nullptr;
    REQUIRE(get()->queryInterface(IPluginFactory3::kId, &object) == kResultOk);
    return static_cast<IPluginFactory3*>(object);
  }();
  return *factory;
}

Uid class_id() {
  ClassInfo info;
  REQUIRE(factory().getClassInfo(0, &info) == kResultOk);
  return info.cid;
}

// Objects of the host live on its stack: they count references only to check that all are released.
template <typename Interface>
class OnStack : public Interface {
 public:
  Result queryInterface(const Uid&, void** object) override {
    *object = nullptr;
    return kNoInterface;
  }
  uint32_t addRef() override { return ++references; }
  uint32_t release() override { return --references; }

  uint32_t references = 1;
};

class Stream final : public OnStack<IBStream> {
 public:
  std::string bytes;
  size_t at = 0;
  int32_t at_once = 1 << 20;  // bytes

  Stream() = default;
  explicit Stream(std::string content) : bytes(std::move(content)) {}

  Result read(void* buffer, int32_t size, int32_t* count) override {
    *count = std::min({size, at_once, static_cast<int32_t>(bytes.size() - at)});
    std::memcpy(buffer, bytes.data() + at, *count);
    at += *count;
    return kResultOk;
  }
  Result write(void* buffer, int32_t size, int32_t* count) override {
    *count = std::min(size, at_once);
    bytes.append(static_cast<const char*>(buffer), *count);
    return kResultOk;
  }
  Result seek(int64_t, int32_t, int64_t*) override { return kNotImplemented; }
  Result tell(int64_t*) override { return kNotImplemented; }
};

class Queue final : public OnStack<IParamValueQueue> {
 public:
  ParamId id = 0;
  std::vector<double> points;

  ParamId getParameterId() override { return id; }
  int32_t getPointCount() override { return static_cast<int32_t>(points.size()); }
  Result getPoint(int32_t index, int32_t& offset, double& value) override {
    if (index < 0 || index >= getPointCount()) return kInvalidArgument;
    offset = index;
    value = points[index];
    return kResultOk;
  }
  Result addPoint(int32_t, double, int32_t&) override { return kNotImplemented; }
};

class Changes final : public OnStack<IParameterChanges> {
 public:
  Queue queues[4];
  int count = 0;

  Changes& add(ParamId id, std::vector<double> points) {
    queues[count].id = id;
    queues[count++].points = std::move(points);
    return *this;
  }
  int32_t getParameterCount() override { return count; }
  IParamValueQueue* getParameterData(int32_t index) override { return &queues[index]; }
  IParamValueQueue* addParameterData(const ParamId&, int32_t&) override { return nullptr; }
};

class Handler final : public OnStack<IComponentHandler> {
 public:
  int32_t restarts = 0;

  Result beginEdit(ParamId) override { return kResultOk; }
  Result performEdit(ParamId, double) override { return kResultOk; }
  Result endEdit(ParamId) override { return kResultOk; }
  Result restartComponent(int32_t flags) override {
    restarts |= flags;
    return kResultOk;
  }
};

double level(double db) { return (db + 88) * 10 / 1000; }
float factor(double db) { return static_cast<float>(std::pow(10.0, db / 20)); }

// An instance of the plugin with all its interfaces.
class Instance {
 public:
  Instance() {
    const Uid id = class_id();
    void* object = nullptr;
    REQUIRE(factory().createInstance(id, IComponent::kId, &object) == kResultOk);
    component = static_cast<IComponent*>(object);
    REQUIRE(component->initialize(nullptr) == kResultOk);
    processor = query<IAudioProcessor>(component);
    controller = query<IEditController>(component);
  }
  ~Instance() {
    CHECK(component->terminate() == kResultOk);
    processor->release();
    controller->release();
    CHECK(component->release() == 0);
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  template <typename Interface>
  static Interface* query(FUnknown* from) {
    void* object = nullptr;
    REQUIRE(from->queryInterface(Interface::kId, &object) == kResultOk);
    return static_cast<Interface*>(object);
  }

  Result arrange(int channels) {
    SpeakerArrangement in = channels == 1 ? kMono : kStereo, out = in;
    return processor->setBusArrangements(&in, 1, &out, 1);
  }

  Result set_up(double rate) {
    ProcessSetup setup{
        .processMode = 0, .symbolicSampleSize = kSample32, .maxSamplesPerBlock = 512, .sampleRate = rate};
    return processor->setupProcessing(setup);
  }

  void start(double rate, int channels) {
    CHECK(component->setActive(0) == kResultOk);
    REQUIRE(arrange(channels) == kResultOk);
    REQUIRE(set_up(rate) == kResultOk);
    REQUIRE(component->setActive(1) == kResultOk);
    CHECK(processor->setProcessing(1) == kResultOk);
  }

  void set(ParamId id, double normalized) { REQUIRE(controller->setParamNormalized(id, normalized) == kResultOk); }

  // Processes samples `begin` to `end`, in place if in is out.
  Result process(const Audio& in, Audio& out, int begin, int end, IParameterChanges* changes = nullptr) {
    float *from[2], *to[2];
    for (size_t c = 0; c < in.size(); ++c) from[c] = const_cast<float*>(in[c].data()) + begin;
    for (size_t c = 0; c < out.size(); ++c) to[c] = out[c].data() + begin;
    AudioBusBuffers input{static_cast<int32_t>(in.size()), 0, from};
    AudioBusBuffers output{static_cast<int32_t>(out.size()), 0, to};
    ProcessData data{};
    data.symbolicSampleSize = kSample32;
    data.numSamples = end - begin;
    data.numInputs = data.numOutputs = 1;
    data.inputs = &input;
    data.outputs = &output;
    data.inputParameterChanges = changes;
    return processor->process(data);
  }

  Audio process(const Audio& in) {
    Audio out(in.size(), Channel(in[0].size()));
    REQUIRE(process(in, out, 0, static_cast<int>(in[0].size())) == kResultOk);
    return out;
  }

  std::string state() {
    Stream stream;
    REQUIRE(component->getState(&stream) == kResultOk);
    return stream.bytes;
  }

  IComponent* component;
  IAudioProcessor* processor;
  IEditController* controller;
};

// The same processed by the core.
Audio reference(int index, double rate, const Audio& in, float vocals, float accompaniment) {
  StemMixer mixer(model(index), rate, static_cast<int>(in.size()), 1);
  mixer.set_gains(vocals, accompaniment);
  mixer.reset();
  Audio out(in.size(), Channel(in[0].size()));
  const float* from[] = {in[0].data(), in.back().data()};
  float* to[] = {out[0].data(), out.back().data()};
  mixer.process(from, to, static_cast<int>(in[0].size()));
  return out;
}

std::string narrow(const char16_t* from) {
  std::string to;
  for (; *from != 0; ++from) to += static_cast<char>(*from);
  return to;
}

}  // namespace

TEST_CASE("all versions of the factory describe the plugin alike, and create nothing else") {
  FUnknown* const whole = &factory();
  for (const Uid& id : {FUnknown::kId, IPluginFactory::kId, IPluginFactory2::kId, IPluginFactory3::kId}) {
    void* object = nullptr;
    CHECK(whole->queryInterface(id, &object) == kResultOk);
    CHECK(object == whole);
  }
  void* object = whole;
  CHECK(whole->queryInterface(IComponent::kId, &object) == kNoInterface);
  CHECK(object == nullptr);

  FactoryInfo maker;
  CHECK(factory().getFactoryInfo(&maker) == kResultOk);
  CHECK(std::string(maker.vendor) == "pyvocsep");
  CHECK((maker.flags & kUnicode) != 0);

  REQUIRE(factory().countClasses() == 1);
  ClassInfo one;
  ClassInfo2 two;
  ClassInfoW three;
  CHECK(factory().getClassInfo(0, &one) == kResultOk);
  CHECK(factory().getClassInfo2(0, &two) == kResultOk);
  CHECK(factory().getClassInfoUnicode(0, &three) == kResultOk);
  CHECK(std::string(one.category) == "Audio Module Class");
  CHECK(std::string(one.name) == "pyvocsep");
  CHECK(std::string(two.name) == one.name);
  CHECK(narrow(three.name) == one.name);
  CHECK(one.cid == two.cid);
  CHECK(one.cid == three.cid);
  CHECK(std::string(two.subCategories).rfind("Fx", 0) == 0);
  CHECK(std::string(two.version) == narrow(three.version));
  CHECK(two.version[0] != 0);
  for (const int32_t index : {-1, 1}) {
    CHECK(factory().getClassInfo(index, &one) != kResultOk);
    CHECK(factory().getClassInfo2(index, &two) != kResultOk);
    CHECK(factory().getClassInfoUnicode(index, &three) != kResultOk);
  }

  CHECK(factory().createInstance(IComponent::kId, IComponent::kId, &object) != kResultOk);
  CHECK(object == nullptr);
  object = whole;
  CHECK(factory().createInstance(one.cid, IPluginFactory::kId, &object) == kNoInterface);
  CHECK(object == nullptr);
}

TEST_CASE("every interface gives every other, and references are counted") {
  const Uid cid = class_id();
  const Uid ids[] = {FUnknown::kId,        IPluginBase::kId,     IComponent::kId,
                     IAudioProcessor::kId, IEditController::kId, IProcessContextRequirements::kId};
  for (const Uid& first : ids) {
    void* object = nullptr;
    REQUIRE(factory().createInstance(cid, first, &object) == kResultOk);
    FUnknown* const from = static_cast<FUnknown*>(object);
    void* identity = nullptr;
    CHECK(from->queryInterface(FUnknown::kId, &identity) == kResultOk);
    for (const Uid& second : ids) {
      void *other = nullptr, *back = nullptr;
      CHECK(from->queryInterface(second, &other) == kResultOk);
      CHECK(static_cast<FUnknown*>(other)->queryInterface(FUnknown::kId, &back) == kResultOk);
      CHECK(back == identity);
      static_cast<FUnknown*>(back)->release();
      CHECK(static_cast<FUnknown*>(other)->release() == 2);
    }
    void* other = from;
    CHECK(from->queryInterface(IBStream::kId, &other) == kNoInterface);
    CHECK(other == nullptr);
    CHECK(from->addRef() == 3);
    CHECK(from->release() == 2);
    CHECK(from->release() == 1);
    CHECK(from->release() == 0);
  }
}

TEST_CASE("a handler is released with the plugin, or when another replaces it") {
  Handler one, two;
  {
    Instance plugin;
    CHECK(plugin.controller->setComponentHandler(&one) == kResultOk);
    CHECK(one.references == 2);
    CHECK(plugin.controller->setComponentHandler(&one) == kResultOk);
    CHECK(one.references == 2);
    CHECK(plugin.controller->setComponentHandler(&two) == kResultOk);
    CHECK(one.references == 1);
  }
  CHECK(two.references == 1);
}

TEST_CASE("one bus in, one bus out, mono or stereo") {
  Instance plugin;
  Uid controller;
  CHECK(plugin.component->getControllerClassId(controller) != kResultOk);  // the controller is the same object
  for (const int channels : {2, 1, 2}) {
    CHECK(plugin.arrange(channels) == kResultOk);
    for (const int32_t direction : {kInput, kOutput}) {
      CHECK(plugin.component->getBusCount(kAudio, direction) == 1);
      CHECK(plugin.component->getBusCount(kEvent, direction) == 0);
      BusInfo bus;
      CHECK(plugin.component->getBusInfo(kAudio, direction, 0, bus) == kResultOk);
      CHECK(bus.channelCount == channels);
      CHECK(bus.direction == direction);
      CHECK(bus.mediaType == kAudio);
      CHECK(bus.busType == kMain);
      CHECK(bus.flags == kDefaultActive);
      CHECK(bus.name[0] != 0);
      CHECK(plugin.component->getBusInfo(kAudio, direction, 1, bus) != kResultOk);
      CHECK(plugin.component->getBusInfo(kEvent, direction, 0, bus) != kResultOk);
      CHECK(plugin.component->activateBus(kAudio, direction, 0, 1) == kResultOk);
      CHECK(plugin.component->activateBus(kAudio, direction, 1, 1) != kResultOk);
      SpeakerArrangement arrangement = 0;
      CHECK(plugin.processor->getBusArrangement(direction, 0, arrangement) == kResultOk);
      CHECK(arrangement == (channels == 1 ? kMono : kStereo));
      CHECK(plugin.processor->getBusArrangement(direction, 1, arrangement) != kResultOk);
    }
  }
  SpeakerArrangement mono = kMono, stereo[] = {kStereo, kStereo}, surround = 0x3f;
  CHECK(plugin.processor->setBusArrangements(&mono, 1, stereo, 1) == kResultFalse);
  CHECK(plugin.processor->setBusArrangements(&surround, 1, &surround, 1) == kResultFalse);
  CHECK(plugin.processor->setBusArrangements(stereo, 2, stereo, 1) == kResultFalse);
  CHECK(plugin.processor->setBusArrangements(nullptr, 0, stereo, 1) == kResultFalse);
  CHECK(plugin.processor->canProcessSampleSize(kSample32) == kResultOk);
  CHECK(plugin.processor->canProcessSampleSize(kSample64) == kResultFalse);
  CHECK(plugin.processor->getTailSamples() == 0);
}

TEST_CASE("parameters: the text of every value gives the value back") {
  Instance plugin;
  REQUIRE(plugin.controller->getParameterCount() == kParameters);
  const char* const titles[] = {"Vocals", "Accompaniment", "Model", "Bypass"};
  const char* const defaults[] = {"0.0", "-60.0", "band-gru", "Off"};
  for (ParamId id = 0; id < kParameters; ++id) {
    ParameterInfo info;
    REQUIRE(plugin.controller->getParameterInfo(static_cast<int32_t>(id), info) == kResultOk);
    CHECK(info.id == id);
    CHECK(narrow(info.title) == titles[id]);
    CHECK(narrow(info.units) == (id <= kAccompaniment ? "dB" : ""));
    CHECK(info.defaultNormalizedValue == plugin.controller->getParamNormalized(id));
    CHECK(((info.flags & kIsBypass) != 0) == (id == kBypass));
    CHECK(((info.flags & kIsList) != 0) == (id == kModel));
    CHECK((info.flags & kCanAutomate) != 0);
    String128 string;
    CHECK(plugin.controller->getParamStringByValue(id, info.defaultNormalizedValue, string) == kResultOk);
    CHECK(narrow(string) == defaults[id]);
    for (int i = 0; i <= info.stepCount; ++i) {
      const double value = static_cast<double>(i) / info.stepCount;
      double back = -1;
      CHECK(plugin.controller->getParamStringByValue(id, value, string) == kResultOk);
      CHECK(plugin.controller->getParamValueByString(id, string, back) == kResultOk);
      CHECK(back == value);
      const double plain = plugin.controller->normalizedParamToPlain(id, value);
      CHECK(plugin.controller->plainParamToNormalized(id, plain) == value);
      plugin.set(id, static_cast<float>(value));  // as hosts that keep values as float do
      CHECK(plugin.controller->getParamNormalized(id) == value);
    }
    plugin.set(id, 7.0);
    CHECK(plugin.controller->getParamNormalized(id) == 1.0);
    plugin.set(id, -7.0);
    CHECK(plugin.controller->getParamNormalized(id) == 0.0);
    plugin.set(id, std::numeric_limits<double>::quiet_NaN());
    CHECK(plugin.controller->getParamNormalized(id) == 0.0);
    double value = 0.5;
    char16_t nonsense[] = u"\u266b, please";
    CHECK(plugin.controller->getParamValueByString(id, nonsense, value) != kResultOk);
    CHECK(value == 0.5);
  }
  const std::pair<const char16_t*, double> levels[] = {
      {u"-inf", 0.0},   {u"-6.5", level(-6.5)}, {u"-6.52 dB", level(-6.5)},
      {u"3", level(3)}, {u"-1e9", 0.0},         {u"99", 1.0}};
  for (const auto& [written, expected] : levels) {
    std::u16string string = written;
    double value = -1;
    CHECK(plugin.controller->getParamValueByString(kVocals, string.data(), value) == kResultOk);
    CHECK(value == doctest::Approx(expected));
  }
  ParameterInfo info;
  String128 string;
  CHECK(plugin.controller->getParameterInfo(-1, info) != kResultOk);
  CHECK(plugin.controller->getParameterInfo(kParameters, info) != kResultOk);
  CHECK(plugin.controller->getParamStringByValue(kParameters, 0, string) != kResultOk);
  CHECK(plugin.controller->setParamNormalized(kParameters, 0) != kResultOk);
  CHECK(plugin.controller->createView("editor") == nullptr);
}

TEST_CASE("the output has the core's bits for any rate, channels, model and block sizes") {
  Instance plugin;
  plugin.set(kVocals, level(-6.5));
  plugin.set(kAccompaniment, level(1.3));
  for (const double rate : {8000.0, 11025.0, 44100.0, 48000.0, 96000.0, 192000.0})
    for (const int channels : {1, 2})
      for (const int index : {0, 1}) {
        CAPTURE(rate);
        CAPTURE(channels);
        CAPTURE(index);
        plugin.set(kModel, index);
        plugin.start(rate, channels);
        const int latency = model(index).impl().grid(rate).frame;
        CHECK(plugin.processor->getLatencySamples() == static_cast<uint32_t>(latency));
        const int n = 3 * latency + 100;
        const Audio in = noise(channels, n);
        const Audio expected = reference(index, rate, in, factor(-6.5), factor(1.3));
        Audio out(channels, Channel(n, 9.0f));
        int begin = 0;
        for (const int size : {0, 1, 0, 17, 2 * latency, 64}) {
          CHECK(plugin.process(in, out, begin, begin + size) == kResultOk);
          begin += size;
        }
        CHECK(plugin.process(in, out, begin, n) == kResultOk);
        CHECK(out == expected);

        CHECK(plugin.component->setActive(0) == kResultOk);
        CHECK(plugin.component->setActive(1) == kResultOk);
        Audio in_place = in;
        CHECK(plugin.process(in_place, in_place, 0, n) == kResultOk);
        CHECK(in_place == expected);
      }
}

TEST_CASE("a stream ends with deactivation and not before") {
  Instance plugin;
  const Audio in = noise(2, 9000);
  const Audio expected = reference(0, 44100, in, 1.0f, factor(-60));
  plugin.start(44100, 2);
  Audio out = in;
  CHECK(plugin.process(in, out, 0, 5000) == kResultOk);
  CHECK(plugin.set_up(44100) == kResultOk);  // some hosts do when their blocks grow
  CHECK(plugin.component->setActive(1) == kResultOk);
  CHECK(plugin.process(in, out, 5000, 9000) == kResultOk);
  CHECK(out == expected);
  CHECK(plugin.component->setActive(0) == kResultOk);
  CHECK(plugin.component->setActive(1) == kResultOk);
  CHECK(plugin.process(in) == expected);
  SpeakerArrangement mono = kMono;
  CHECK(plugin.processor->setBusArrangements(&mono, 1, &mono, 1) == kResultFalse);  // not while it is active
  plugin.start(48000, 2);
  CHECK(plugin.processor->getLatencySamples() == static_cast<uint32_t>(model(0).impl().grid(48000).frame));
  CHECK(plugin.process(in) == reference(0, 48000, in, 1.0f, factor(-60)));
}

TEST_CASE("wrong buffers are refused and give silence") {
  Instance plugin;
  const Audio in = noise(2, 100), silence(2, Channel(100));
  for (const double rate :
       {0.0, 999.0, 1e9, -44100.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(rate);
    CHECK(plugin.set_up(rate) != kResultOk);
    CHECK(plugin.component->setActive(1) != kResultOk);
    CHECK(plugin.processor->getLatencySamples() == 0);
    Audio out(2, Channel(100, 9.0f));
    CHECK(plugin.process(in, out, 0, 100) != kResultOk);
    CHECK(out == silence);
    CHECK(plugin.component->setActive(0) == kResultOk);
  }
  ProcessSetup doubles{
      .processMode = 0, .symbolicSampleSize = kSample64, .maxSamplesPerBlock = 512, .sampleRate = 44100};
  CHECK(plugin.processor->setupProcessing(doubles) != kResultOk);

  for (const int channels : {1, 2}) {
    plugin.start(44100, channels);
    for (const int inputs : {1, 2})
      for (const int outputs : {1, 2}) {
        if (inputs == channels && outputs == channels) continue;
        Audio out(outputs, Channel(100, 9.0f));
        CHECK(plugin.process(Audio(in.begin(), in.begin() + inputs), out, 0, 100) != kResultOk);
        CHECK(out == Audio(outputs, silence[0]));
      }
  }
  ProcessData empty{};
  empty.numSamples = 100;
  CHECK(plugin.processor->process(empty) == kResultOk);  // no buses at all
}

TEST_CASE("levels apply from the first audible sample and ramp afterwards, as in the core") {
  const int n = 12000, change = 7000;
  const Audio in = noise(2, n);
  Instance plugin;
  plugin.start(44100, 2);
  Audio out = in, expected = in;
  Changes first, second, nothing, strange;
  first.add(kVocals, {0.3, level(-3)}).add(kAccompaniment, {0.0});
  second.add(kAccompaniment, {level(2.5)}).add(kVocals, {0.0});
  strange.add(77, {0.5}).add(kVocals, {});
  CHECK(plugin.process(in, out, 0, 0, &first) == kResultOk);
  CHECK(plugin.process(in, out, 0, change, &nothing) == kResultOk);
  CHECK(plugin.controller->getParamNormalized(kVocals) == level(-3));
  CHECK(plugin.process(in, out, change, change + 300, &second) == kResultOk);
  CHECK(plugin.process(in, out, change + 300, n, &strange) == kResultOk);

  StemMixer mixer(model(0), 44100, 2, 1);
  const auto mix = [&](int begin, int end) {
    const float* from[] = {in[0].data() + begin, in[1].data() + begin};
    float* to[] = {expected[0].data() + begin, expected[1].data() + begin};
    mixer.process(from, to, end - begin);
  };
  mixer.set_gains(factor(-3), 0.0f);
  mixer.reset();
  mix(0, change);
  mixer.set_gains(0.0f, factor(2.5));
  mix(change, n);
  CHECK(out == expected);
}

TEST_CASE("bypassed, the output is the delayed input to the bit, with a crossfade in and out") {
  const int n = 20000, on = 6000, off = 12000, latency = 2048, hop = 1024;
  const Audio in = noise(2, n);
  const Audio mixed = reference(0, 44100, in, 1.0f, 0.0f);
  Instance plugin;
  plugin.set(kAccompaniment, 0.0);
  plugin.start(44100, 2);
  CHECK(plugin.processor->getLatencySamples() == latency);
  Audio out = in;
  Changes to_on, to_off;
  to_on.add(kBypass, {1.0});
  to_off.add(kBypass, {0.0});
  CHECK(plugin.process(in, out, 0, on) == kResultOk);
  CHECK(plugin.process(in, out, on, off, &to_on) == kResultOk);
  CHECK(plugin.process(in, out, off, n, &to_off) == kResultOk);
  for (int c = 0; c < 2; ++c) {
    int wrong = 0, outside = 0;
    for (int i = 0; i < n; ++i) {
      const float dry = i < latency ? 0.0f : in[c][i - latency], wet = mixed[c][i];
      if (i < on || i >= off + hop) wrong += out[c][i] != wet;
      if (i >= on + hop && i < off) wrong += out[c][i] != dry;
      if (i >= on && i < on + hop) {
        const float amount = static_cast<float>(i - on + 1) / hop;
        outside += std::abs(out[c][i] - (wet + amount * (dry - wet))) > 1e-6f;
      }
    }
    CHECK(wrong == 0);
    CHECK(outside == 0);
  }

  plugin.set(kBypass, 1.0);
  plugin.start(44100, 2);  // from its first sample on
  Audio strange = in;
  strange[0][5000] = std::numeric_limits<float>::infinity();
  const Audio delayed = plugin.process(strange);
  for (int c = 0; c < 2; ++c) {
    CHECK(std::equal(delayed[c].begin() + latency, delayed[c].end(), strange[c].begin()));
    CHECK(std::all_of(delayed[c].begin(), delayed[c].begin() + latency, [](float v) { return v == 0.0f; }));
  }
}

TEST_CASE("another model takes effect at the next activation, which the plugin asks for") {
  const Audio in = noise(2, 8000);
  Handler handler;
  Instance plugin;
  CHECK(plugin.controller->setComponentHandler(&handler) == kResultOk);
  plugin.set(kModel, 1.0);
  plugin.set(kModel, 0.0);
  CHECK(handler.restarts == 0);  // not active: nothing to restart
  plugin.start(44100, 2);
  Audio out = in;
  CHECK(plugin.process(in, out, 0, 3000) == kResultOk);
  plugin.set(kModel, 1.0);
  CHECK(handler.restarts == kLatencyChanged);
  CHECK(plugin.process(in, out, 3000, 8000) == kResultOk);
  CHECK(out == reference(0, 44100, in, 1.0f, factor(-60)));
  CHECK(plugin.processor->getLatencySamples() == 2048);

  CHECK(plugin.component->setActive(0) == kResultOk);
  CHECK(plugin.component->setActive(1) == kResultOk);
  CHECK(plugin.processor->getLatencySamples() == static_cast<uint32_t>(model(1).impl().grid(44100).frame));
  CHECK(plugin.process(in) == reference(1, 44100, in, 1.0f, factor(-60)));

  handler.restarts = 0;
  plugin.set(kModel, 1.0);
  CHECK(handler.restarts == 0);  // no change
  Changes back;
  back.add(kModel, {0.0});
  CHECK(plugin.process(in, out, 0, 100, &back) == kResultOk);
  CHECK(handler.restarts == 0);  // not from the audio thread
  plugin.set(kModel, 0.0);
  CHECK(handler.restarts == kLatencyChanged);  // but when the controller is told

  CHECK(plugin.component->setActive(0) == kResultOk);
  for (const int index : {0, 1}) {  // an inactive plugin changes its model at once
    handler.restarts = 0;
    plugin.set(kModel, index);
    CHECK(handler.restarts == kLatencyChanged);
    CHECK(plugin.processor->getLatencySamples() == static_cast<uint32_t>(model(index).impl().grid(44100).frame));
  }
}

TEST_CASE("a state with another model takes effect at once, also while the plugin is active") {
  const Audio in = noise(2, 8000);
  Instance other;
  other.set(kModel, 1.0);
  Stream state(other.state());
  Handler handler;
  Instance plugin;
  CHECK(plugin.controller->setComponentHandler(&handler) == kResultOk);
  plugin.start(44100, 2);
  plugin.process(in);
  CHECK(plugin.component->setState(&state) == kResultOk);
  CHECK((handler.restarts & kLatencyChanged) != 0);
  CHECK(plugin.processor->getLatencySamples() == static_cast<uint32_t>(model(1).impl().grid(44100).frame));
  CHECK(plugin.process(in) == reference(1, 44100, in, 1.0f, factor(-60)));
}

TEST_CASE("a state is little-endian words, and all three functions restore it") {
  Instance one;
  one.set(kVocals, level(-12));
  one.set(kAccompaniment, 0.0);
  one.set(kModel, 1.0);
  one.set(kBypass, 1.0);
  const std::string state = one.state();
  CHECK(state == std::string("pvcs\1\0\0\0\xf8\2\0\0\0\0\0\0\1\0\0\0\1\0\0\0", 24));
  Stream controllers;
  controllers.at_once = 5;
  CHECK(one.controller->getState(&controllers) == kResultOk);
  CHECK(controllers.bytes == state);

  for (const int function : {0, 1, 2}) {
    Handler handler;
    Instance two;
    CHECK(two.controller->setComponentHandler(&handler) == kResultOk);
    CHECK(two.state() != state);
    Stream stream(state);
    stream.at_once = 1 + 2 * function;
    const Result result = function == 0   ? two.component->setState(&stream)
                          : function == 1 ? two.controller->setComponentState(&stream)
                                          : two.controller->setState(&stream);
    CHECK(result == kResultOk);
    CHECK(handler.restarts == (function == 1 ? kParamValuesChanged | kLatencyChanged : kLatencyChanged));
    CHECK(two.state() == state);
    const Audio in = noise(2, 7000);
    two.set(kBypass, 0.0);
    two.start(44100, 2);
    CHECK(two.process(in) == reference(1, 44100, in, factor(-12), 0.0f));
  }
}

TEST_CASE("bytes that are no state are refused and change nothing") {
  Instance plugin;
  plugin.set(kVocals, level(-20));
  const std::string state = plugin.state();
  std::vector<std::string> bad;
  for (size_t size = 0; size < state.size(); ++size) bad.push_back(state.substr(0, size));
  const auto with = [&](size_t at, char byte) {
    bad.push_back(state);
    bad.back()[at] = byte;
  };
  with(0, 'P');
  with(4, 0);
  with(4, 2);
  with(7, 1);
  with(9, 4);        // vocals: 1024 and more
  with(15, '\x80');  // accompaniment: negative
  with(16, 2);       // model
  with(20, 2);       // bypass
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    bad.emplace_back(random() % 64, '\0');
    for (char& byte : bad.back()) byte = static_cast<char>(random());
    if (i % 2 == 0 && bad.back().size() >= 8) bad.back().replace(0, 8, state, 0, 8);
  }
  for (const std::string& bytes : bad) {
    Stream one(bytes), two(bytes), three(bytes);
    CHECK(plugin.component->setState(&one) != kResultOk);
    CHECK(plugin.controller->setComponentState(&two) != kResultOk);
    CHECK(plugin.controller->setState(&three) != kResultOk);
  }
  CHECK(plugin.component->setState(nullptr) != kResultOk);
  CHECK(plugin.component->getState(nullptr) != kResultOk);
  CHECK(plugin.state() == state);
}

#if defined(__GLIBC__)  // elsewhere the plugin's allocations are not seen from outside of it
TEST_CASE("process allocates nothing") {
  {
    const test::CountAllocations counter;
    Instance plugin;
    CHECK(counter.count() > 0);  // the plugin's allocations are counted
  }
  Instance plugin;
  plugin.start(44100, 2);
  const Audio in = noise(2, 30000);
  Audio out = in;
  Changes on, off;
  on.add(kBypass, {1.0}).add(kVocals, {level(-9.1)}).add(kModel, {1.0});
  off.add(kBypass, {0.0}).add(kAccompaniment, {level(-1)});
  const test::CountAllocations counter;
  plugin.process(in, out, 0, 10000);
  plugin.process(in, out, 10000, 10512, &on);
  plugin.process(in, out, 10512, 20000);
  plugin.process(in, out, 20000, 30000, &off);
  CHECK(counter.count() == 0);
}
#endif

TEST_CASE("a host may activate and set up while it processes") {
  const Audio in = noise(2, 1000);
  Audio out = in;
  Instance plugin;
  plugin.start(44100, 2);
  std::atomic<bool> done{false};
  std::thread audio([&] {
    while (!done) plugin.process(in, out, 0, 1000);
  });
  for (int i = 0; i < 20; ++i) {
    plugin.set(kModel, i % 2);
    CHECK(plugin.component->setActive(0) == kResultOk);
    CHECK(plugin.set_up(i % 3 == 0 ? 48000 : 44100) == kResultOk);
    CHECK(plugin.component->setActive(1) == kResultOk);
  }
  done = true;
  audio.join();
}

TEST_CASE("instances in different threads are independent") {
  const Audio in = noise(2, 10000);
  const double rates[] = {44100, 48000, 44100, 22050};
  Audio outs[4];
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 2; ++round) {
        Instance plugin;
        plugin.set(kModel, t % 2);
        plugin.start(rates[t], 2);
        outs[t] = plugin.process(in);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) CHECK(outs[t] == reference(t % 2, rates[t], in, 1.0f, factor(-60)));
}

TEST_CASE("at rates that cannot be separated the input goes through, as late as the host is told") {
  for (const double rate : {352800.0, 384000.0, 192001.0, 768000.0, 7999.0, 4000.0})
    for (const int channels : {1, 2})
      for (const int index : {0, 1}) {
        CAPTURE(rate);
        CAPTURE(channels);
        CAPTURE(index);
        Instance plugin;
        plugin.set(kModel, index);
        plugin.start(rate, channels);
        const int latency = static_cast<int>(plugin.processor->getLatencySamples());
        const Model& network = model(index);
        CHECK(latency == std::lround(network.n_fft() * rate / network.sample_rate()));
        const int n = 2 * latency + 5000;
        const Audio in = noise(channels, n);
        Changes changes;
        changes.add(kVocals, {level(-3)}).add(kBypass, {1.0});
        Audio out(channels, Channel(n, 9.0f));
        CHECK(plugin.process(in, out, 0, 700) == kResultOk);
        CHECK(plugin.process(in, out, 700, 5000, &changes) == kResultOk);
        CHECK(plugin.process(in, out, 5000, n) == kResultOk);
        for (int c = 0; c < channels; ++c) {
          CHECK(std::all_of(out[c].begin(), out[c].begin() + latency, [](float v) { return v == 0.0f; }));
          CHECK(std::equal(out[c].begin() + latency, out[c].end(), in[c].begin()));
        }
      }
  Instance plugin;  // and at one that can be, it separates again
  const Audio in = noise(2, 9000);
  plugin.start(384000, 2);
  plugin.process(in);
  plugin.start(44100, 2);
  CHECK(plugin.processor->getLatencySamples() == 2048);
  CHECK(plugin.process(in) == reference(0, 44100, in, 1.0f, factor(-60)));
}

TEST_CASE(
    "a state with another model restarts the component, at rest, active and before all, or when there is a handler") {
  Instance source;
  source.set(kModel, 1.0);
  const std::string state = source.state();
  for (const int stage : {0, 1, 2})
    for (const bool late : {false, true}) {
      CAPTURE(stage);
      CAPTURE(late);
      Handler handler;
      Instance plugin;
      if (!late) CHECK(plugin.controller->setComponentHandler(&handler) == kResultOk);
      if (stage >= 1) {
        plugin.start(44100, 2);
        CHECK(plugin.processor->getLatencySamples() == 2048);
      }
      if (stage == 1) CHECK(plugin.component->setActive(0) == kResultOk);
      Stream stream(state);
      CHECK(plugin.component->setState(&stream) == kResultOk);
      if (late) CHECK(plugin.controller->setComponentHandler(&handler) == kResultOk);
      CHECK(handler.restarts == kLatencyChanged);
      handler.restarts = 0;
      CHECK(plugin.controller->setComponentHandler(&handler) == kResultOk);
      CHECK(handler.restarts == 0);  // once is enough
      Stream same(state);
      CHECK(plugin.component->setState(&same) == kResultOk);
      CHECK(handler.restarts == 0);  // no change
      plugin.start(44100, 2);
      CHECK(plugin.processor->getLatencySamples() != 2048);
      CHECK(plugin.controller->setComponentHandler(nullptr) == kResultOk);
    }
}

TEST_CASE("a fade of the bypass makes no denormal numbers") {
  const int n = 9000, on = 6000;
  Audio in(1, Channel(n, 2e-38f));  // the smallest normal number is 1.2e-38: parts of this are denormal
  Instance plugin;
  plugin.set(kVocals, level(-20));
  plugin.set(kAccompaniment, level(-20));
  plugin.start(44100, 1);
  Audio out = in;
  Changes to_on;
  to_on.add(kBypass, {1.0});
  CHECK(plugin.process(in, out, 0, on) == kResultOk);
  CHECK(plugin.process(in, out, on, n, &to_on) == kResultOk);
  CHECK(std::none_of(out[0].begin(), out[0].end(), [](float v) { return std::fpclassify(v) == FP_SUBNORMAL; }));
  CHECK(out[0].back() == 2e-38f);
}
