// The part of VST3's binary interface that an effect without a window needs, in declarations of our own: the order of
// virtual functions and struct members and the identifiers, under the names that VST3's documentation uses.
//
// 64-bit platforms only: there the calling convention is the platform's own and structs have their natural alignment.
//
// Interfaces that the host implements must have external linkage: in an anonymous namespace the compiler knows that no
// other file implements them, and compiles their virtual calls into traps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pyvocsep::vst3 {

static_assert(sizeof(void*) == 8, "the VST3 plugin is for 64-bit platforms");

using Result = int32_t;
using Bool = uint8_t;
using ParamId = uint32_t;
using String128 = char16_t[128];
using SpeakerArrangement = uint64_t;  // one bit for each speaker

#if defined(_WIN32)  // the codes of COM; elsewhere VST3 numbers them
enum : Result {
  kNoInterface = static_cast<Result>(0x80004002),
  kResultOk = 0,
  kResultFalse = 1,
  kInvalidArgument = static_cast<Result>(0x80070057),
  kNotImplemented = static_cast<Result>(0x80004001),
};
#else
enum : Result { kNoInterface = -1, kResultOk, kResultFalse, kInvalidArgument, kNotImplemented };
#endif

// A parameter `const Uid&` has the same binary form as VST3's pointer to 16 bytes.
struct Uid {
  std::array<uint8_t, 16> bytes;
  bool operator==(const Uid&) const = default;
};

// An identifier from the four words in which it is published.
constexpr Uid uid(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
#if defined(_WIN32)  // a GUID: its first word and two half words are little-endian
  a = (a >> 24) | (a >> 8 & 0xff00) | (a << 8 & 0xff0000) | (a << 24);
  b = (b >> 8 & 0xff00ff) | (b << 8 & 0xff00ff00);
#endif
  Uid id{};
  const uint32_t words[] = {a, b, c, d};
  for (size_t i = 0; i < 16; ++i) id.bytes[i] = static_cast<uint8_t>(words[i / 4] >> (24 - 8 * (i % 4)));
  return id;
}

enum MediaType : int32_t { kAudio, kEvent };
enum BusDirection : int32_t { kInput, kOutput };
enum BusType : int32_t { kMain, kAux };
enum BusFlags : uint32_t { kDefaultActive = 1 };
enum SampleSize : int32_t { kSample32, kSample64 };
enum SpeakerArrangements : SpeakerArrangement { kStereo = 3, kMono = 1 << 19 };
enum ParameterFlags : int32_t { kCanAutomate = 1, kIsList = 1 << 3, kIsBypass = 1 << 16 };
enum RestartFlags : int32_t { kParamValuesChanged = 1 << 2, kLatencyChanged = 1 << 3 };
enum FactoryFlags : int32_t { kUnicode = 1 << 4 };
constexpr int32_t kManyInstances = 0x7fffffff;
constexpr uint32_t kNoTail = 0;

struct BusInfo {
  int32_t mediaType;
  int32_t direction;
  int32_t channelCount;
  String128 name;
  int32_t busType;
  uint32_t flags;
};
static_assert(sizeof(BusInfo) == 276);

struct RoutingInfo {
  int32_t mediaType;
  int32_t busIndex;
  int32_t channel;
};

struct ParameterInfo {
  ParamId id;
  String128 title;
  String128 shortTitle;
  String128 units;
  int32_t stepCount;
  double defaultNormalizedValue;
  int32_t unitId;
  int32_t flags;
};
static_assert(sizeof(ParameterInfo) == 792);

struct ProcessSetup {
  int32_t processMode;
  int32_t symbolicSampleSize;
  int32_t maxSamplesPerBlock;
  double sampleRate;
};
static_assert(sizeof(ProcessSetup) == 24);

struct AudioBusBuffers {
  int32_t numChannels;
  uint64_t silenceFlags;
  float** channelBuffers32;
};
static_assert(sizeof(AudioBusBuffers) == 24);

class IParameterChanges;

struct ProcessData {
  int32_t processMode;
  int32_t symbolicSampleSize;
  int32_t numSamples;
  int32_t numInputs;
  int32_t numOutputs;
  AudioBusBuffers* inputs;
  AudioBusBuffers* outputs;
  IParameterChanges* inputParameterChanges;
  IParameterChanges* outputParameterChanges;
  void* inputEvents;
  void* outputEvents;
  void* processContext;
};
static_assert(sizeof(ProcessData) == 80);

struct FactoryInfo {
  char vendor[64];
  char url[256];
  char email[128];
  int32_t flags;
};

struct ClassInfo {
  Uid cid;
  int32_t cardinality;
  char category[32];
  char name[64];
};

// Char is char, and char16_t for the third version of the factory.
template <typename Char>
struct ExtendedClassInfo {
  Uid cid;
  int32_t cardinality;
  char category[32];
  Char name[64];
  uint32_t classFlags;
  char subCategories[128];
  Char vendor[64];
  Char version[64];
  Char sdkVersion[64];
};
using ClassInfo2 = ExtendedClassInfo<char>;
using ClassInfoW = ExtendedClassInfo<char16_t>;
static_assert(sizeof(FactoryInfo) == 452 && sizeof(ClassInfo) == 116 && sizeof(ClassInfo2) == 440 &&
              sizeof(ClassInfoW) == 696);

// No virtual destructor, since it would take a slot of the virtual table: release() deletes the object.
class FUnknown {
 public:
  static constexpr Uid kId = uid(0x00000000, 0x00000000, 0xC0000000, 0x00000046);
  virtual Result queryInterface(const Uid& id, void** object) = 0;
  virtual uint32_t addRef() = 0;
  virtual uint32_t release() = 0;

 protected:
  ~FUnknown() = default;
};

// Implemented by the host

class IBStream : public FUnknown {
 public:
  static constexpr Uid kId = uid(0xC3BF6EA2, 0x30994752, 0x9B6BF990, 0x1EE33E9B);
  virtual Result read(void* buffer, int32_t bytes, int32_t* bytesRead) = 0;
  virtual Result write(void* buffer, int32_t bytes, int32_t* bytesWritten) = 0;
  virtual Result seek(int64_t position, int32_t mode, int64_t* result) = 0;
  virtual Result tell(int64_t* position) = 0;

 protected:
  ~IBStream() = default;
};

class IParamValueQueue : public FUnknown {
 public:
  static constexpr Uid kId = uid(0x01263A18, 0xED074F6F, 0x98C9D356, 0x4686F9BA);
  virtual ParamId getParameterId() = 0;
  virtual int32_t getPointCount() = 0;
  virtual Result getPoint(int32_t index, int32_t& sampleOffset, double& value) = 0;
  virtual Result addPoint(int32_t sampleOffset, double value, int32_t& index) = 0;

 protected:
  ~IParamValueQueue() = default;
};

class IParameterChanges : public FUnknown {
 public:
  static constexpr Uid kId = uid(0xA4779663, 0x0BB64A56, 0xB44384A8, 0x466FEB9D);
  virtual int32_t getParameterCount() = 0;
  virtual IParamValueQueue* getParameterData(int32_t index) = 0;
  virtual IParamValueQueue* addParameterData(const ParamId& id, int32_t& index) = 0;

 protected:
  ~IParameterChanges() = default;
};

class IComponentHandler : public FUnknown {
 public:
  static constexpr Uid kId = uid(0x93A0BEA3, 0x0BD045DB, 0x8E890B0C, 0xC1E46AC6);
  virtual Result beginEdit(ParamId id) = 0;
  virtual Result performEdit(ParamId id, double normalized) = 0;
  virtual Result endEdit(ParamId id) = 0;
  virtual Result restartComponent(int32_t flags) = 0;

 protected:
  ~IComponentHandler() = default;
};

// Implemented by the plugin

class IPluginBase : public FUnknown {
 public:
  static constexpr Uid kId = uid(0x22888DDB, 0x156E45AE, 0x8358B348, 0x08190625);
  virtual Result initialize(FUnknown* context) = 0;
  virtual Result terminate() = 0;

 protected:
  ~IPluginBase() = default;
};

class IComponent : public IPluginBase {
 public:
  static constexpr Uid kId = uid(0xE831FF31, 0xF2D54301, 0x928EBBEE, 0x25697802);
  virtual Result getControllerClassId(Uid& id) = 0;
  virtual Result setIoMode(int32_t mode) = 0;
  virtual int32_t getBusCount(int32_t media, int32_t direction) = 0;
  virtual Result getBusInfo(int32_t media, int32_t direction, int32_t index, BusInfo& bus) = 0;
  virtual Result getRoutingInfo(RoutingInfo& in, RoutingInfo& out) = 0;
  virtual Result activateBus(int32_t media, int32_t direction, int32_t index, Bool state) = 0;
  virtual Result setActive(Bool state) = 0;
  virtual Result setState(IBStream* stream) = 0;
  virtual Result getState(IBStream* stream) = 0;

 protected:
  ~IComponent() = default;
};

class IAudioProcessor : public FUnknown {
 public:
  static constexpr Uid kId = uid(0x42043F99, 0xB7DA453C, 0xA569E79D, 0x9AAEC33D);
  virtual Result setBusArrangements(SpeakerArrangement* inputs, int32_t numIns, SpeakerArrangement* outputs,
                                    int32_t numOuts) = 0;
  virtual Result getBusArrangement(int32_t direction, int32_t index, SpeakerArrangement& arrangement) = 0;
  virtual Result canProcessSampleSize(int32_t symbolicSampleSize) = 0;
  virtual uint32_t getLatencySamples() = 0;
  virtual Result setupProcessing(ProcessSetup& setup) = 0;
  virtual Result setProcessing(Bool state) = 0;
  virtual Result process(ProcessData& data) = 0;
  virtual uint32_t getTailSamples() = 0;

 protected:
  ~IAudioProcessor() = default;
};

class IProcessContextRequirements : public FUnknown {
 public:
  static constexpr Uid kId = uid(0x2A654303, 0xEF764E3D, 0x95B5FE83, 0x730EF6D0);
  virtual uint32_t getProcessContextRequirements() = 0;

 protected:
  ~IProcessContextRequirements() = default;
};

class IEditController : public IPluginBase {
 public:
  static constexpr Uid kId = uid(0xDCD7BBE3, 0x7742448D, 0xA874AACC, 0x979C759E);
  virtual Result setComponentState(IBStream* stream) = 0;
  virtual Result setState(IBStream* stream) = 0;
  virtual Result getState(IBStream* stream) = 0;
  virtual int32_t getParameterCount() = 0;
  virtual Result getParameterInfo(int32_t index, ParameterInfo& info) = 0;
  virtual Result getParamStringByValue(ParamId id, double normalized, String128 string) = 0;
  virtual Result getParamValueByString(ParamId id, char16_t* string, double& normalized) = 0;
  virtual double normalizedParamToPlain(ParamId id, double normalized) = 0;
  virtual double plainParamToNormalized(ParamId id, double plain) = 0;
  virtual double getParamNormalized(ParamId id) = 0;
  virtual Result setParamNormalized(ParamId id, double normalized) = 0;
  virtual Result setComponentHandler(IComponentHandler* handler) = 0;
  virtual void* createView(const char* name) = 0;

 protected:
  ~IEditController() = default;
};

class IPluginFactory : public FUnknown {
 public:
  static constexpr Uid kId = uid(0x7A4D811C, 0x52114A1F, 0xAED9D2EE, 0x0B43BF9F);
  virtual Result getFactoryInfo(FactoryInfo* info) = 0;
  virtual int32_t countClasses() = 0;
  virtual Result getClassInfo(int32_t index, ClassInfo* info) = 0;
  virtual Result createInstance(const Uid& cid, const Uid& id, void** object) = 0;

 protected:
  ~IPluginFactory() = default;
};

class IPluginFactory2 : public IPluginFactory {
 public:
  static constexpr Uid kId = uid(0x0007B650, 0xF24B4C0B, 0xA464EDB9, 0xF00B2ABB);
  virtual Result getClassInfo2(int32_t index, ClassInfo2* info) = 0;

 protected:
  ~IPluginFactory2() = default;
};

class IPluginFactory3 : public IPluginFactory2 {
 public:
  static constexpr Uid kId = uid(0x4555A2AB, 0xC1234E57, 0x9B122910, 0x36878931);
  virtual Result getClassInfoUnicode(int32_t index, ClassInfoW* info) = 0;
  virtual Result setHostContext(FUnknown* context) = 0;

 protected:
  ~IPluginFactory3() = default;
};

}  // namespace pyvocsep::vst3
