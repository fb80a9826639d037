#include "plugins/vst3/weights.h"

#include <array>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>

#include "plugins/vst3/parameters.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace pyvocsep::vst3 {

namespace {

namespace fs = std::filesystem;

// Path of the file that this code was loaded from, with symbolic links followed:
// <bundle>/Contents/<platform>/<library>.
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

// The weights in the bundle's Resources; the bundle inside the Python package has none and uses those of the package.
fs::path weights(const std::string& name) {
  const fs::path contents = library().parent_path().parent_path();
  const fs::path own = contents / "Resources" / (name + ".safetensors");
  const fs::path package = contents.parent_path().parent_path().parent_path() / "models" / own.filename();
  return !fs::exists(own) && fs::exists(package) ? package : own;
}

}  // namespace

const Model& load_model(int index) {
  static std::mutex mutex;
  static std::array<std::optional<const Model>, std::size(kModelNames)> models;
  const std::lock_guard lock(mutex);
  std::optional<const Model>& model = models[index];
  if (!model) {
    const std::u8string path = weights(kModelNames[index]).u8string();
    model.emplace(std::string(path.begin(), path.end()));
  }
  return *model;
}

}  // namespace pyvocsep::vst3
