// The part of LV2's binary interface that an effect needs, in declarations of our own: the order and types of struct
// members and the identifiers. (A test compares them with LV2's headers where those are installed.)
#pragma once

#include <cstdint>

namespace pyvocsep::lv2 {

extern "C" {

using Handle = void*;

struct Feature {
  const char* uri;
  void* data;
};

struct Descriptor {
  const char* uri;
  Handle (*instantiate)(const Descriptor* descriptor, double sample_rate, const char* bundle_path,
                        const Feature* const* features);
  void (*connect_port)(Handle instance, uint32_t port, void* data);
  void (*activate)(Handle instance);
  void (*run)(Handle instance, uint32_t samples);
  void (*deactivate)(Handle instance);
  void (*cleanup)(Handle instance);
  const void* (*extension_data)(const char* uri);
};

// The worker extension: the host calls work() outside its audio thread, some time after run() has asked for it.
enum WorkerStatus : int { kWorkerSuccess, kWorkerUnknownError, kWorkerNoSpace };

using WorkerRespond = WorkerStatus (*)(void* handle, uint32_t size, const void* data);

struct WorkerSchedule {  // the host's: the data of the feature kScheduleUri
  void* handle;
  WorkerStatus (*schedule_work)(void* handle, uint32_t size, const void* data);
};

struct WorkerInterface {  // the plugin's: its extension data for kWorkerUri
  WorkerStatus (*work)(Handle instance, WorkerRespond respond, void* handle, uint32_t size, const void* data);
  WorkerStatus (*work_response)(Handle instance, uint32_t size, const void* data);
  WorkerStatus (*end_run)(Handle instance);
};

}  // extern "C"

constexpr const char* kScheduleUri = "http://lv2plug.in/ns/ext/worker#schedule";
constexpr const char* kWorkerUri = "http://lv2plug.in/ns/ext/worker#interface";

}  // namespace pyvocsep::lv2
