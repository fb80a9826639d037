// The entry points of the shared library, and the factory that describes and creates its one plugin.

#include <cstring>
#include <iterator>
#include <new>

#include "plugins/vst3/plugin.h"

#if defined(_WIN32)
#define PYVOCSEP_EXPORT extern "C" __declspec(dllexport)
#else
#define PYVOCSEP_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace pyvocsep::vst3 {

namespace {

constexpr char kName[] = "pyvocsep";
constexpr char kCategory[] = "Audio Module Class";
constexpr char kSubCategories[] = "Fx|Tools";
constexpr char kInterfaceVersion[] = "VST 3.7";

template <typename Char, size_t to_size, size_t from_size>
void copy(const char (&from)[from_size], Char (&to)[to_size]) {
  static_assert(from_size <= to_size);
  for (size_t i = 0; i < from_size; ++i) to[i] = static_cast<Char>(from[i]);
}

template <typename Char>
Result describe(int32_t index, ExtendedClassInfo<Char>* info) {
  if (index != 0 || info == nullptr) return kInvalidArgument;
  *info = {};
  info->cid = Plugin::kClassId;
  info->cardinality = kManyInstances;
  copy(kCategory, info->category);
  copy(kName, info->name);
  copy(kSubCategories, info->subCategories);
  copy(kName, info->vendor);
  copy(PYVOCSEP_VERSION, info->version);
  copy(kInterfaceVersion, info->sdkVersion);
  return kResultOk;
}

// A single object that lives as long as the library is loaded: its references are not counted.
class Factory final : public IPluginFactory3 {
 public:
  Result queryInterface(const Uid& id, void** object) override {
    const bool known =
        id == FUnknown::kId || id == IPluginFactory::kId || id == IPluginFactory2::kId || id == IPluginFactory3::kId;
    if (object == nullptr) return kInvalidArgument;
    *object = known ? this : nullptr;
    return known ? kResultOk : kNoInterface;
  }
  uint32_t addRef() override { return 1; }
  uint32_t release() override { return 1; }

  Result getFactoryInfo(FactoryInfo* info) override {
    if (info == nullptr) return kInvalidArgument;
    *info = {};
    copy(kName, info->vendor);
    info->flags = kUnicode;
    return kResultOk;
  }

  int32_t countClasses() override { return 1; }

  Result getClassInfo(int32_t index, ClassInfo* info) override {
    ClassInfo2 full;
    if (info == nullptr || describe(index, &full) != kResultOk) return kInvalidArgument;
    *info = {};
    info->cid = full.cid;
    info->cardinality = full.cardinality;
    copy(full.category, info->category);
    copy(full.name, info->name);
    return kResultOk;
  }

  Result getClassInfo2(int32_t index, ClassInfo2* info) override { return describe(index, info); }

  Result getClassInfoUnicode(int32_t index, ClassInfoW* info) override { return describe(index, info); }

  Result setHostContext(FUnknown*) override { return kNotImplemented; }

  Result createInstance(const Uid& cid, const Uid& id, void** object) override {
    if (object == nullptr) return kInvalidArgument;
    *object = nullptr;
    if (!(cid == Plugin::kClassId)) return kInvalidArgument;
    Plugin* const plugin = new (std::nothrow) Plugin;
    if (plugin == nullptr) return kResultFalse;
    const Result result = plugin->queryInterface(id, object);
    plugin->release();  // gives up our reference: the host now holds the only one, or the plugin is deleted
    return result;
  }
};

}  // namespace

}  // namespace pyvocsep::vst3

PYVOCSEP_EXPORT pyvocsep::vst3::IPluginFactory* GetPluginFactory() {
  static pyvocsep::vst3::Factory factory;
  return &factory;
}

// Hosts call these once, first and last. There is nothing to do.
#if defined(_WIN32)
PYVOCSEP_EXPORT bool InitDll() { return true; }
PYVOCSEP_EXPORT bool ExitDll() { return true; }
#elif defined(__APPLE__)
PYVOCSEP_EXPORT bool bundleEntry(void*) { return true; }
PYVOCSEP_EXPORT bool bundleExit() { return true; }
#else
PYVOCSEP_EXPORT bool ModuleEntry(void*) { return true; }
PYVOCSEP_EXPORT bool ModuleExit() { return true; }
#endif
