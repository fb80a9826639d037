// The entry point of the shared library: the stereo plugin, and the same for one channel.

#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>

#include "plugins/lv2/plugin.h"

#if defined(_WIN32)
#define PYVOCSEP_EXPORT extern "C" __declspec(dllexport)
#else
#define PYVOCSEP_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace pyvocsep::lv2 {

namespace {

Plugin* plugin(Handle handle) { return static_cast<Plugin*>(handle); }

const WorkerSchedule* find_worker(const Feature* const* features) {
  for (; features != nullptr && *features != nullptr; ++features)
    if (std::strcmp((*features)->uri, kScheduleUri) == 0) return static_cast<const WorkerSchedule*>((*features)->data);
  return nullptr;
}

template <int channels>
Handle instantiate(const Descriptor*, double sample_rate, const char*, const Feature* const* features) {
  try {
    return new Plugin(sample_rate, channels, find_worker(features));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyvocsep.lv2: %s\n", error.what());  // LV2's result is a null pointer without a message
    return nullptr;
  }
}

WorkerStatus work(Handle handle, WorkerRespond, void*, uint32_t size, const void* data) {
  int model = 0;
  if (size != sizeof model) return kWorkerUnknownError;
  std::memcpy(&model, data, sizeof model);
  return plugin(handle)->make(model) ? kWorkerSuccess : kWorkerUnknownError;
}

WorkerStatus work_response(Handle, uint32_t, const void*) { return kWorkerSuccess; }  // work() gives none

const void* extension_data(const char* uri) {
  static const WorkerInterface worker{work, work_response, nullptr};
  return std::strcmp(uri, kWorkerUri) == 0 ? &worker : nullptr;
}

template <int channels>
constexpr Descriptor describe(const char* uri) {
  return {.uri = uri,
          .instantiate = instantiate<channels>,
          .connect_port = [](Handle handle, uint32_t port, void* data) { plugin(handle)->connect(port, data); },
          .activate = [](Handle handle) { plugin(handle)->activate(); },
          .run = [](Handle handle, uint32_t samples) { plugin(handle)->run(samples); },
          .deactivate = nullptr,
          .cleanup = [](Handle handle) { delete plugin(handle); },
          .extension_data = extension_data};
}

constexpr Descriptor kDescriptors[] = {describe<2>("urn:pyvocsep:stereo"), describe<1>("urn:pyvocsep:mono")};

}  // namespace

}  // namespace pyvocsep::lv2

PYVOCSEP_EXPORT const pyvocsep::lv2::Descriptor* lv2_descriptor(uint32_t index) {
  using pyvocsep::lv2::kDescriptors;
  return index < std::size(kDescriptors) ? &kDescriptors[index] : nullptr;
}
