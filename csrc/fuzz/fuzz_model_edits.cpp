// The input is a list of edits to a sound model: tensors of other shapes, scales and names, other metadata. The file is
// always well-formed, so that what is behind the format's checks is tried.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/load_and_run.h"
#include "tests/small_models.h"

namespace {

using namespace pyvocsep;

std::string some_value(FuzzedDataProvider& input, const std::string& old) {
  switch (input.ConsumeIntegralInRange(0, 4)) {
    case 0: return std::to_string(input.ConsumeIntegral<int>());
    case 1: return std::to_string(input.ConsumeIntegralInRange(-2, 70));
    case 2: {
      std::string list = std::to_string(input.ConsumeIntegralInRange(-1, 40));
      for (int more = input.ConsumeIntegralInRange(0, 4); more > 0; --more)
        list += "," + std::to_string(input.ConsumeIntegralInRange(-1, 40));
      return list;
    }
    case 3: return old + input.ConsumeRandomLengthString(4);
    default:
      return input.PickValueInArray<std::string>(
          {"", "gru", "band-gru", "nan", "inf", "-0", "1e300", "0.5", "64", "16384", "32", "16", "4294967297"});
  }
}

std::vector<int> some_shape(FuzzedDataProvider& input, std::vector<int> shape) {
  if (input.ConsumeBool() && !shape.empty()) {  // one size is another
    int& size = shape[input.ConsumeIntegralInRange<size_t>(0, shape.size() - 1)];
    size = input.ConsumeBool() ? size + input.ConsumeIntegralInRange(-2, 2) : input.ConsumeIntegralInRange(0, 300);
    if (size < 0) size = 0;
    return shape;
  }
  shape.resize(input.ConsumeIntegralInRange<size_t>(0, 4));
  for (int& size : shape) size = input.ConsumeIntegralInRange(0, 100);
  return shape;
}

void edit(FuzzedDataProvider& input, test::ModelBuilder& model) {
  std::vector<std::string> names, keys;
  for (const auto& entry : model.tensors) names.push_back(entry.first);
  for (const auto& entry : model.metadata) keys.push_back(entry.first);
  if (names.empty() || keys.empty()) return;
  const std::string& name = names[input.ConsumeIntegralInRange<size_t>(0, names.size() - 1)];
  const std::string& key = keys[input.ConsumeIntegralInRange<size_t>(0, keys.size() - 1)];
  switch (input.ConsumeIntegralInRange(0, 5)) {
    case 0: model.metadata.erase(key); break;
    case 1: model.metadata[key] = some_value(input, model.metadata[key]); break;
    case 2: model.tensors.erase(name); break;
    case 3: {  // under another tensor's name, perhaps
      const std::string& other = names[input.ConsumeIntegralInRange<size_t>(0, names.size() - 1)];
      model.tensors[other] = model.tensors[name];
      break;
    }
    default: {
      const std::vector<int> shape = some_shape(input, model.tensors[name].first);
      size_t count = 1;
      for (const int size : shape) count *= static_cast<size_t>(size);
      if (count <= 100'000) model.tensor(name, shape, input.PickValueInArray({0.0f, 0.3f, 1.0f, 1e-30f, 1000.0f}));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  static const test::ModelBuilder band_gru = test::small_band_gru(), gru = test::small_gru(),
                                  ahead = test::small_band_gru_ahead();
  test::ModelBuilder model = *input.PickValueInArray({&band_gru, &gru, &ahead});
  if (input.ConsumeBool()) model.metadata["level_seconds"] = "3";
  if (input.ConsumeBool()) model.metadata["spatial_seconds"] = "3";
  const int channels = input.ConsumeIntegralInRange(1, 2);
  const Precision wanted = input.PickValueInArray({Precision::kFloat32, Precision::kBfloat16, Precision::kInt8});
  for (int edits = 0; edits < 6 && input.remaining_bytes() > 0; ++edits) edit(input, model);
  fuzz::load_and_run(model.bytes(), has_precision(wanted) ? wanted : Precision::kFloat32, channels);
  return 0;
}
