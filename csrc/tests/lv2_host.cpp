// A host that loads the built LV2 plugin and calls it as hosts do.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "plugins/common/parameters.h"
#include "plugins/lv2/abi.h"
#include "plugins/lv2/plugin.h"
#include "pyvocsep/stem_mixer.h"
#include "tests/allocations.h"
#include "tests/plugin_audio.h"

#if __has_include(<lv2/worker/worker.h>)
#include <lv2/core/lv2.h>
#include <lv2/worker/worker.h>
#endif

using namespace pyvocsep;
using namespace pyvocsep::lv2;

namespace {

const Descriptor& descriptor(int channels) {
  static const auto get = [] {
    void* const library = dlopen(PYVOCSEP_LV2, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library != nullptr, dlerror());
    return reinterpret_cast<const Descriptor* (*)(uint32_t)>(dlsym(library, "lv2_descriptor"));
  }();
  REQUIRE((get != nullptr));
  CHECK(get(2) == nullptr);
  return *get(channels == 2 ? 0 : 1);
}

// A worker that works when it is told to, as between two blocks, or at once.
struct Worker {
  bool at_once = false, full = false;
  std::vector<int> asked;
  Handle plugin = nullptr;
  const WorkerInterface* interface = nullptr;
  WorkerSchedule schedule{this, [](void* self, uint32_t size, const void* data) {
                            Worker& worker = *static_cast<Worker*>(self);
                            if (worker.full) return kWorkerNoSpace;
                            if (worker.at_once)
                              return worker.interface->work(worker.plugin, nullptr, nullptr, size, data);
                            REQUIRE(size == sizeof(int));
                            int model;
                            std::memcpy(&model, data, size);
                            worker.asked.push_back(model);
                            return kWorkerSuccess;
                          }};

  Worker() { asked.reserve(8); }
  void work() {
    for (const int model : asked)
      CHECK(interface->work(plugin, nullptr, nullptr, sizeof model, &model) == kWorkerSuccess);
    asked.clear();
  }
};

class Instance {
 public:
  std::array<float, kControlPorts> controls{0.0f, -60.0f, 0.0f, 1.0f, -1.0f};

  Instance(double rate, int channels, Worker* worker = nullptr) : channels_(channels), type_(descriptor(channels)) {
    const Feature schedule{kScheduleUri, worker ? &worker->schedule : nullptr}, other{"urn:other", nullptr};
    const Feature* const features[] = {&other, worker ? &schedule : nullptr, nullptr};
    handle_ = type_.instantiate(&type_, rate, "/a/path/of/the/host/", features);
    REQUIRE(handle_ != nullptr);
    if (worker != nullptr) {
      worker->plugin = handle_;
      worker->interface = static_cast<const WorkerInterface*>(type_.extension_data(kWorkerUri));
    }
    for (uint32_t port = 0; port < kControlPorts; ++port)
      type_.connect_port(handle_, 2 * channels_ + port, &controls[port]);
    type_.activate(handle_);
  }
  ~Instance() { type_.cleanup(handle_); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  void activate() { type_.activate(handle_); }

  // Samples `begin` to `end`, in place if in is out.
  void run(const Audio& in, Audio& out, int begin, int end) {
    for (int c = 0; c < channels_; ++c) {
      type_.connect_port(handle_, c, const_cast<float*>(in[c].data()) + begin);
      type_.connect_port(handle_, channels_ + c, out[c].data() + begin);
    }
    type_.run(handle_, end - begin);
  }
  Audio run(const Audio& in, int block = 1 << 20) {
    const int n = static_cast<int>(in[0].size());
    Audio out(in.size(), Channel(n));
    for (int begin = 0; begin < n; begin += block) run(in, out, begin, std::min(n, begin + block));
    return out;
  }

 private:
  int channels_;
  const Descriptor& type_;
  Handle handle_;
};

float factor(double db) { return static_cast<float>(std::pow(10.0, db / 20)); }

Audio reference(int index, double rate, const Audio& in, float vocals, float accompaniment) {
  StemMixer mixer(Model(std::string(PYVOCSEP_MODELS "/") + kModelNames[index] + ".safetensors"), rate,
                  static_cast<int>(in.size()), 1);
  mixer.set_gains(vocals, accompaniment);
  mixer.reset();
  Audio out(in.size(), Channel(in[0].size()));
  const float* from[] = {in[0].data(), in.back().data()};
  float* to[] = {out[0].data(), out.back().data()};
  mixer.process(from, to, static_cast<int>(in[0].size()));
  return out;
}

// What follows `property` in the port `symbol` of the plugin's description.
double described(const std::string& turtle, const std::string& symbol, const std::string& property) {
  const size_t port = turtle.find("lv2:symbol \"" + symbol + "\"");
  REQUIRE(port != std::string::npos);
  const size_t at = turtle.find("lv2:" + property + " ", port);
  REQUIRE(at != std::string::npos);
  return std::stod(turtle.substr(at + property.size() + 5, 12));
}

}  // namespace

#if defined(LV2_WORKER_H)
TEST_CASE("the declarations are those of LV2's headers") {
  CHECK(std::string(kScheduleUri) == LV2_WORKER__schedule);
  CHECK(std::string(kWorkerUri) == LV2_WORKER__interface);
  static_assert(sizeof(Descriptor) == sizeof(LV2_Descriptor) && sizeof(Feature) == sizeof(LV2_Feature));
  static_assert(offsetof(Descriptor, instantiate) == offsetof(LV2_Descriptor, instantiate));
  static_assert(offsetof(Descriptor, connect_port) == offsetof(LV2_Descriptor, connect_port));
  static_assert(offsetof(Descriptor, activate) == offsetof(LV2_Descriptor, activate));
  static_assert(offsetof(Descriptor, run) == offsetof(LV2_Descriptor, run));
  static_assert(offsetof(Descriptor, cleanup) == offsetof(LV2_Descriptor, cleanup));
  static_assert(offsetof(Descriptor, extension_data) == offsetof(LV2_Descriptor, extension_data));
  static_assert(offsetof(Feature, data) == offsetof(LV2_Feature, data));
  static_assert(sizeof(WorkerInterface) == sizeof(LV2_Worker_Interface));
  static_assert(offsetof(WorkerInterface, work_response) == offsetof(LV2_Worker_Interface, work_response));
  static_assert(offsetof(WorkerSchedule, schedule_work) == offsetof(LV2_Worker_Schedule, schedule_work));
  static_assert(int{kWorkerUnknownError} == LV2_WORKER_ERR_UNKNOWN && int{kWorkerNoSpace} == LV2_WORKER_ERR_NO_SPACE);
}
#endif

TEST_CASE("the description has the parameters' values") {
  const std::string library = PYVOCSEP_LV2;
  std::ifstream file(library.substr(0, library.rfind('/')) + "/pyvocsep.ttl");
  std::stringstream text;
  text << file.rdbuf();
  const size_t second = text.str().find("<urn:pyvocsep:mono>");
  REQUIRE(second != std::string::npos);
  for (const std::string& turtle : {text.str().substr(0, second), text.str().substr(second)}) {
    const std::array<std::string, 3> symbols{"vocals", "accompaniment", "model"};
    for (uint32_t id = 0; id < symbols.size(); ++id) {
      CHECK(described(turtle, symbols[id], "default") == plain(id, kParameters[id].initial));
      CHECK(described(turtle, symbols[id], "minimum") == plain(id, 0));
      CHECK(described(turtle, symbols[id], "maximum") == plain(id, kParameters[id].steps));
    }
    for (int model = 0; model < kModelCount; ++model)
      CHECK(turtle.find("rdfs:label \"" + std::string(kModelNames[model]) + "\" ; rdf:value " +
                        std::to_string(model)) != std::string::npos);
    CHECK(described(turtle, "enabled", "default") == 1 - kParameters[kBypass].initial);
  }
}

TEST_CASE("the output has the core's bits for any rate, channels, model and block sizes") {
  for (const double rate : {22050.0, 44100.0, 96000.0})
    for (const int channels : {1, 2})
      for (const int model : {0, 1})
        for (const int block : {7, 512, 30000}) {
          const Audio in = noise(channels, block == 7 ? 6000 : 20000);
          Instance plugin(rate, channels);
          plugin.controls[kVocalsPort] = -6.5f;
          plugin.controls[kAccompanimentPort] = -0.1f;
          plugin.controls[kModelPort] = static_cast<float>(model);
          CHECK(plugin.run(in, block) == reference(model, rate, in, factor(-6.5), factor(-0.1)));
        }
}

TEST_CASE("input and output may share memory, also crosswise") {
  const Audio in = noise(2, 20000);
  const Audio expected = reference(0, 44100, in, 1, factor(-60));
  Instance one(44100, 2);
  Audio straight = in, crossed = in;
  one.run(straight, straight, 0, 20000);
  CHECK(straight == expected);
  const Descriptor& type = descriptor(2);
  Handle const handle = type.instantiate(&type, 44100, "", nullptr);
  float* const ports[] = {crossed[0].data(), crossed[1].data(), crossed[1].data(), crossed[0].data()};
  for (uint32_t port = 0; port < 4; ++port) type.connect_port(handle, port, ports[port]);
  type.activate(handle);
  type.run(handle, 20000);  // no control is connected: each has its default
  type.cleanup(handle);
  CHECK(crossed[1] == expected[0]);
  CHECK(crossed[0] == expected[1]);
}

TEST_CASE("levels: the least is silence, strange numbers are within the range") {
  const Audio in = noise(1, 8000);
  const float infinite = std::numeric_limits<float>::infinity();
  const float none = std::numeric_limits<float>::quiet_NaN();
  const std::pair<float, float> cases[] = {{-88.0f, 0.0f},          {-infinite, 0.0f},    {none, 0.0f},
                                           {-87.9f, factor(-87.9)}, {3.26f, factor(3.3)}, {99.0f, factor(12)}};
  for (const auto& [level, gain] : cases) {
    Instance plugin(44100, 1);
    plugin.controls[kVocalsPort] = level;
    plugin.controls[kAccompanimentPort] = -88;
    CHECK(plugin.run(in) == reference(0, 44100, in, gain, 0));
  }
}

TEST_CASE("disabled, the output is the input, as late as the latency port says") {
  const Audio in = noise(2, 20000);
  Instance plugin(48000, 2);
  plugin.controls[kEnabledPort] = 0;
  const Audio out = plugin.run(in, 512);
  const int latency = static_cast<int>(plugin.controls[kLatencyPort]);
  CHECK(latency == StemMixer(Model(PYVOCSEP_MODELS "/band-gru.safetensors"), 48000, 2).latency());
  for (int c = 0; c < 2; ++c) {
    CHECK(Channel(out[c].begin() + latency, out[c].end()) == Channel(in[c].begin(), in[c].end() - latency));
    CHECK(Channel(out[c].begin(), out[c].begin() + latency) == Channel(latency));
  }
  plugin.activate();  // a new stream
  CHECK(plugin.run(in, 512) == out);
}

TEST_CASE("a worker makes the other model's effect while this one goes on") {
  const Audio in = noise(1, 30000);
  Worker worker;
  Instance plugin(44100, 1, &worker);
  Audio out(1, Channel(30000));
  const Audio first = reference(0, 44100, in, 1, factor(-60));
  plugin.run(in, out, 0, 10000);
  CHECK(worker.asked.empty());
  plugin.controls[kModelPort] = 1;
  worker.full = true;
  plugin.run(in, out, 10000, 10100);
  CHECK(worker.asked.empty());
  worker.full = false;
  for (int begin = 10100; begin < 20000; begin += 100) plugin.run(in, out, begin, begin + 100);
  CHECK(worker.asked == std::vector<int>{1});
  CHECK(Channel(out[0].begin(), out[0].begin() + 20000) == Channel(first[0].begin(), first[0].begin() + 20000));
  worker.work();
  plugin.run(in, out, 20000, 30000);
  const Audio rest = {Channel(in[0].begin() + 20000, in[0].end())};
  CHECK(Channel(out[0].begin() + 20000, out[0].end()) == reference(1, 44100, rest, 1, factor(-60))[0]);
  const float latency = plugin.controls[kLatencyPort];
  plugin.controls[kModelPort] = 0;
  plugin.run(in, out, 0, 0);  // only tells the latency
  CHECK(plugin.controls[kLatencyPort] < latency);
  CHECK(worker.asked.empty());
}

TEST_CASE("a worker may work at once, as in hosts that run faster than real time") {
  const Audio in = noise(1, 10000);
  Worker worker;
  worker.at_once = true;
  Instance plugin(44100, 1, &worker);
  plugin.controls[kModelPort] = 1;
  CHECK(plugin.run(in, 512) == reference(1, 44100, in, 1, factor(-60)));
}

TEST_CASE("a worker's nonsense is refused") {
  Worker worker;
  const Instance plugin(44100, 1, &worker);
  const char bytes[3] = {};
  CHECK(worker.interface->work(worker.plugin, nullptr, nullptr, sizeof bytes, bytes) != kWorkerSuccess);
  CHECK(worker.interface->work_response(worker.plugin, 0, nullptr) == kWorkerSuccess);
  CHECK(descriptor(1).extension_data("urn:other") == nullptr);
}

TEST_CASE("at a rate that nothing can be done at there is no plugin") {
  const Descriptor& type = descriptor(2);
  CHECK(type.instantiate(&type, 10, "", nullptr) == nullptr);
}

TEST_CASE("run allocates nothing, whatever the host changes") {
  {
    const test::CountAllocations counter;
    const Instance plugin(44100, 2);
    CHECK(counter.count() > 0);  // the plugin's allocations are counted
  }
  Worker worker;
  Instance plugin(44100, 2, &worker);
  const Audio in = noise(2, 20000);
  Audio out = in;
  {
    const test::CountAllocations counter;
    plugin.run(in, out, 0, 10000);
    plugin.controls = {-9.1f, -1.0f, 1.0f, 0.0f, 0.0f};
    plugin.run(in, out, 10000, 10512);
    CHECK(counter.count() == 0);
  }
  worker.work();
  const test::CountAllocations counter;
  plugin.run(in, out, 10512, 20000);  // takes the other model
  plugin.controls[kEnabledPort] = 1;
  plugin.run(in, out, 0, 10000);
  CHECK(counter.count() == 0);
}
