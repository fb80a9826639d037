#include "model/model_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "model/json.h"
#include "model/number.h"

namespace pyvocsep {

namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
constexpr float kMaxWeight = 1e4f;                 // trained weights stay below 10; more is a damaged file

static_assert(std::endian::native == std::endian::little, "safetensors values are read in place");

float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1F, mantissa = half & 0x3FF;
  if (exponent == 0) return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(mantissa * 0x1p-24f));
  const uint32_t biased = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | biased << 23 | mantissa << 13);
}

struct Format {
  std::string_view name;
  size_t bytes;
  float (*read)(const char*);
};

template <typename T>
T raw(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

constexpr Format kFormats[] = {
    {"F32", 4, [](const char* p) { return raw<float>(p); }},
    {"F16", 2, [](const char* p) { return from_half(raw<uint16_t>(p)); }},
    {"BF16", 2, [](const char* p) { return std::bit_cast<float>(static_cast<uint32_t>(raw<uint16_t>(p)) << 16); }},
};

std::string shape_text(const std::vector<int>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

// A name or value from the file as messages show it: no longer than a line, cut where a character ends.
std::string shortened(const std::string& text) {
  constexpr size_t kMost = 80;
  if (text.size() <= kMost) return text;
  size_t end = kMost;
  while ((static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

// What the header says of a tensor's data.
struct Range {
  std::string name;
  const Format* format;
  std::vector<int> shape;
  uint64_t count, begin, end;
};

std::string read_file(const std::string& path) {
  const std::filesystem::path name(std::u8string(path.begin(), path.end()));
  if (std::error_code missing; std::filesystem::is_directory(name, missing))  // some libraries read it as an empty file
    throw std::system_error(EISDIR, std::generic_category(), "cannot open model file " + path);
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  if (!file) throw std::system_error(errno ? errno : EIO, std::generic_category(), "cannot open model file " + path);
  std::string bytes;
  char block[1 << 16];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    bytes.append(block, static_cast<size_t>(file.gcount()));
    if (bytes.size() > kMaxFileBytes) throw std::invalid_argument(path + ": larger than 1 GiB, not a model file");
  }
  if (file.bad()) throw std::system_error(EIO, std::generic_category(), "cannot read model file " + path);
  return bytes;
}

}  // namespace

ModelFile::ModelFile(const std::string& path) : ModelFile(read_file(path), path) {}

ModelFile::ModelFile(std::string_view bytes, const std::string& name) : name_(name) { parse(bytes); }

void ModelFile::fail(const std::string& what) const { throw std::invalid_argument(name_ + ": " + what); }

// The rules are those of the reference implementation (github.com/huggingface/safetensors): a bounded header, and
// tensors that cover the data exactly, without overlap or holes. So a file never asks for more memory than it has.
void ModelFile::parse(std::string_view bytes) {
  if (bytes.size() < 8) fail("not a model file: shorter than a safetensors header");
  const uint64_t header_size = raw<uint64_t>(bytes.data());
  if (header_size > kMaxHeaderBytes) fail("not a safetensors file: its header would be larger than 100 MB");
  if (header_size > bytes.size() - 8) fail("not a safetensors file, or truncated: its header would end past its end");
  const std::string_view text = bytes.substr(8, header_size), data = bytes.substr(8 + header_size);
  if (!text.starts_with('{')) fail("not a safetensors file: its header does not begin with '{'");

  Json header;
  try {
    header = Json::parse(text);
  } catch (const std::invalid_argument& error) {
    fail(std::string("damaged header: ") + error.what());
  }

  std::vector<Range> ranges;
  for (const auto& [key, entry] : *header.object()) {
    const Json::Object* fields = entry.object();
    if (!fields) fail("damaged header: entry '" + shortened(key) + "' is not an object");
    if (key == "__metadata__") {
      for (const auto& [name, value] : *fields) {
        if (!value.string()) fail("metadata '" + shortened(name) + "' is not a string");
        metadata_[name] = *value.string();
      }
      continue;
    }
    const std::string what = "tensor '" + shortened(key) + "'";
    const auto field = [&](const char* name) -> const Json& {
      const auto found = fields->find(name);
      if (found == fields->end()) fail(what + " has no " + name);
      return found->second;
    };
    const auto whole = [&](const Json& number) -> uint64_t {
      const double* value = number.number();
      if (!value || !(*value >= 0 && *value <= std::numeric_limits<int>::max()) || *value != std::floor(*value))
        fail(what + " has a bad size");
      return static_cast<uint64_t>(*value);
    };

    const std::string* dtype = field("dtype").string();
    const Format* format = nullptr;
    for (const Format& f : kFormats)
      if (dtype && f.name == *dtype) format = &f;
    if (!format) fail(what + " has type " + (dtype ? shortened(*dtype) : "?") + "; F32, F16 and BF16 can be read");

    const Json::Array* shape = field("shape").array();
    const Json::Array* offsets = field("data_offsets").array();
    if (!shape || shape->size() > 4 || !offsets || offsets->size() != 2) fail(what + " has a damaged header entry");
    Range range{key, format, {}, 1, whole((*offsets)[0]), whole((*offsets)[1])};
    for (const Json& size : *shape) {
      range.count *= whole(size);
      if (range.count > kMaxFileBytes) fail(what + " is too large");
      range.shape.push_back(static_cast<int>(whole(size)));
    }
    if (range.begin > range.end || range.end > data.size())
      fail(what + " ends past the end of the file: the file is truncated");
    if (range.end - range.begin != range.count * format->bytes)
      fail(what + " of shape " + shape_text(range.shape) + " does not fill its " +
           std::to_string(range.end - range.begin) + " bytes");
    ranges.push_back(std::move(range));
  }

  std::ranges::sort(ranges, {}, [](const Range& range) { return std::pair(range.begin, range.end); });
  uint64_t covered = 0;
  for (const Range& range : ranges) {
    if (range.begin != covered)
      fail("tensor '" + shortened(range.name) + "' begins at byte " + std::to_string(range.begin) +
           " of the data, but the tensor before it ends at byte " + std::to_string(covered));
    covered = range.end;
  }
  if (covered != data.size())
    fail("the tensors end at byte " + std::to_string(covered) + " of the data, which has " +
         std::to_string(data.size()));

  for (Range& range : ranges) {
    std::vector<float> values(range.count);
    for (uint64_t i = 0; i < range.count; ++i) {
      values[i] = range.format->read(data.data() + range.begin + i * range.format->bytes);
      if (!(std::abs(values[i]) <= kMaxWeight))
        fail("tensor '" + shortened(range.name) + "' holds the value " + std::to_string(values[i]) + " at position " +
             std::to_string(i) + ": weights are finite and below 10000");
    }
    tensors_[range.name] = {std::move(range.shape), std::move(values)};
  }
}

const std::string& ModelFile::text(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) fail("metadata '" + key + "' is missing");
  return found->second;
}

std::string ModelFile::shown(const std::string& key) const { return shortened(text(key)); }

int ModelFile::integer(const std::string& key, int lowest, int highest) const {
  const double value = real(key, lowest, highest);
  if (value != std::floor(value)) fail("metadata '" + key + "' is '" + shown(key) + "', not a whole number");
  return static_cast<int>(value);
}

double ModelFile::real(const std::string& key, double lowest, double highest) const {
  const std::string& value = text(key);
  const std::optional<double> number = parse_number(value);
  if (!number) fail("metadata '" + key + "' is '" + shortened(value) + "', not a number");
  if (!(*number >= lowest && *number <= highest)) fail("metadata '" + key + "' is out of range: " + shortened(value));
  return *number;
}

std::vector<int> ModelFile::integers(const std::string& key) const {
  const std::string& list = text(key);
  std::vector<int> numbers;
  const char* at = list.data();
  const char* const stop = at + list.size();
  for (;;) {
    int number = 0;
    const auto [end, error] = std::from_chars(at, stop, number);
    if (error != std::errc() || (end != stop && *end != ','))
      fail("metadata '" + key + "' is not a list of whole numbers: '" + shortened(list) + "'");
    numbers.push_back(number);
    if (end == stop) return numbers;
    at = end + 1;
  }
}

const Tensor& ModelFile::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail("tensor '" + name + "' is missing");
  return found->second;
}

std::vector<int> ModelFile::shape(const std::string& name, size_t dimensions) const {
  const std::vector<int>& shape = find(name).shape;
  if (shape.size() != dimensions || std::ranges::count(shape, 0) > 0)
    fail("tensor '" + name + "' has shape " + shape_text(shape) + ", expected " + std::to_string(dimensions) +
         " dimensions, none of them empty");
  return shape;
}

const Tensor& ModelFile::tensor(const std::string& name, const std::vector<int>& shape) const {
  const Tensor& tensor = find(name);
  if (tensor.shape != shape)
    fail("tensor '" + name + "' has shape " + shape_text(tensor.shape) + ", expected " + shape_text(shape));
  return tensor;
}

}  // namespace pyvocsep
