#include "plugins/common/weights.h"

#include <array>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "plugins/common/parameters.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace pyvocsep::plugins {

namespace {

namespace fs = std::filesystem;

// Path of the file that this code was loaded from, with symbolic links followed.
fs::path library() {
  static const char inside = 0;
#if defined(_WIN32)
  HMODULE module = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     reinterpret_cast<LPCWSTR>(&inside), &module);
  std::wstring name(32768, L'\0');
  name.resize(GetModuleFileNameW(module, name.data(), static_cast<DWORD>(name.size())));
  return fs::canonical(name);
#else
  Dl_info info{};
  dladdr(&inside, &info);
  return fs::canonical(info.dli_fname);
#endif
}

fs::path weights(const std::string& name, const WeightFolders& folders) {
  const fs::path folder = library().parent_path(), file = name + ".safetensors";
  const fs::path own = folder / folders.bundle / file, package = folder / folders.package / file;
  return !fs::exists(own) && fs::exists(package) ? package : own;
}

}  // namespace

const Model& load_model(int index, const WeightFolders& folders) {
  static std::mutex mutex;
  static std::array<std::optional<const Model>, kModelCount> models;
  const std::lock_guard lock(mutex);
  std::optional<const Model>& model = models[index];
  if (!model) {
    const std::u8string path = weights(kModelNames[index], folders).lexically_normal().u8string();
    model.emplace(std::string(path.begin(), path.end()));
  }
  return *model;
}

}  // namespace pyvocsep::plugins
