// Damaged model files of both architectures: each is refused in words, or loads and then works.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/json.h"
#include "model/model_file.h"
#include "pyvocsep/separator.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

using Builder = test::ModelBuilder;

std::vector<Builder> builders() {
  return {test::random_band_gru(2, "5"), test::random_band_gru(4), test::random_band_gru_ahead(2, 1),
          test::random_gru()};
}

// Whether the file loads; then it has separated some frames, into finite samples.
bool loads(const std::string& bytes) {
  try {
    const Model model = Model::from_bytes(bytes, "damaged.safetensors");
    Separator separator(model, model.sample_rate(), 2, 1);
    const int n = 3 * separator.latency();
    std::vector<float> x(static_cast<size_t>(n)), stems(4 * x.size());
    for (int i = 0; i < n; ++i) x[i] = std::sin(0.1f * static_cast<float>(i));
    const float* in[] = {x.data(), x.data()};
    float* vocals[] = {stems.data(), stems.data() + n};
    float* accompaniment[] = {stems.data() + 2 * n, stems.data() + 3 * n};
    separator.process(in, vocals, accompaniment, n);
    for (const float v : stems) REQUIRE(std::isfinite(v));
    return true;
  } catch (const std::invalid_argument& error) {
    CHECK(std::string(error.what()).starts_with("damaged.safetensors: "));
    return false;
  }
}

std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

std::string header_of(const std::string& bytes) {
  uint64_t size = 0;
  std::memcpy(&size, bytes.data(), 8);
  return bytes.substr(8, size);
}

std::string why_not(const std::string& bytes) {
  try {
    ModelFile(bytes, "x");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

// The text with `value` in the place of its question mark.
std::string with(std::string text, const std::string& value) { return text.replace(text.find('?'), 1, value); }

// One tensor `t` of F32, with what the test says of it.
std::string one_tensor(const std::string& entry, size_t data_bytes, const std::string& more = "") {
  return file_of(std::string("{\"t\":").append(entry).append(more).append("}"), std::string(data_bytes, '\0'));
}

}  // namespace

TEST_CASE("each tensor of another shape is refused by its name, before it is read") {
  for (const Builder& sound : builders()) {
    REQUIRE(loads(sound.bytes()));
    for (const auto& entry : sound.tensors) {
      const std::string name = entry.first;
      const std::vector<int> shape = entry.second.first;
      CAPTURE(name);
      std::vector<std::vector<int>> wrong = {{}, {0}, {1}};
      for (size_t i = 0; i < shape.size(); ++i)
        for (const int size : {0, 1, shape[i] - 1, shape[i] + 1, 2 * shape[i]}) {
          wrong.push_back(shape);
          wrong.back()[i] = size;
        }
      wrong.push_back(shape);
      wrong.back().push_back(1);
      wrong.emplace_back(shape.begin(), shape.end() - 1);
      wrong.emplace_back(shape.rbegin(), shape.rend());
      for (const std::vector<int>& other : wrong) {
        if (other == shape) continue;
        Builder m = sound;
        m.tensor(name, other, 0.1f);
        CHECK_FALSE(loads(m.bytes()));
      }
      Builder m = sound;
      m.tensors.erase(name);
      CHECK_THROWS_WITH(Model::from_bytes(m.bytes(), "x"), doctest::Contains(name.c_str()));
    }
  }
}

TEST_CASE("each key of the metadata with a value that makes no sense is refused by its name") {
  const std::string values[] = {"",    " ",      "0",     "-1",      "1",          "7",
                                "63",  "65536",  "nan",   "inf",     "1e30",       "4294967552",
                                "0.5", "five",   "1,2,3", "5,3,4,1", "1,,1",       ",",
                                "0,0", "-5,3,4", "512 ",  "0x40",    "2147483648", std::string(5000, '9')};
  const char* const keys[] = {
      "format",           "architecture",      "sample_rate", "n_fft",       "hop",           "stems",
      "exponent",         "extension_bins",    "band_counts", "band_widths", "level_seconds", "spatial_seconds",
      "look_ahead_chunk", "look_ahead_context"};
  for (const Builder& sound : builders())
    for (const std::string key : keys) {
      if (sound.metadata.count(key) == 0) continue;
      CAPTURE(key);
      Builder m = sound;
      m.metadata.erase(key);
      if (key == "level_seconds" || key == "spatial_seconds")
        CHECK(loads(m.bytes()));  // these need not be there
      else
        CHECK_THROWS_WITH_AS(Model::from_bytes(m.bytes(), "x"), doctest::Contains(("'" + key + "' is missing").c_str()),
                             std::invalid_argument);
      for (const std::string& value : values) {
        CAPTURE(value);
        m.metadata[key] = value;
        const bool harmless = (key == "exponent" && (value == "1" || value == "0.5")) ||
                              (key == "extension_bins" && (value == "1" || value == "7" || value == "63")) ||
                              (key == "sample_rate" && value == "65536") ||
                              (key.ends_with("_seconds") && (value == "1" || value == "7" || value == "0.5")) ||
                              (key.starts_with("look_ahead") && (value == "1" || value == "7" || value == "63")) ||
                              (key == "look_ahead_context" && value == "0");
        CHECK(loads(m.bytes()) == harmless);
        if (!harmless) {
          try {
            Model::from_bytes(m.bytes(), "x");
          } catch (const std::invalid_argument& error) {
            CHECK(std::string(error.what()).size() < 400);
          }
        }
      }
    }
}

TEST_CASE("bytes damaged at random, in the header and anywhere") {
  std::mt19937 random(11);
  for (const Builder& sound : builders()) {
    const std::string bytes = sound.bytes();
    const size_t header = 8 + header_of(bytes).size();
    int refused = 0;
    for (int trial = 0; trial < 800; ++trial) {
      std::string damaged = bytes;
      for (int i = 0; i < 3; ++i) damaged[random() % (trial % 4 ? header : bytes.size())] = static_cast<char>(random());
      refused += !loads(damaged);
    }
    CHECK(refused > 400);
  }
}

TEST_CASE("digits of the header exchanged for others: sizes, offsets and numbers") {
  std::mt19937 random(12);
  for (const Builder& sound : builders()) {
    const std::string bytes = sound.bytes();
    const size_t end = 8 + header_of(bytes).size();
    std::vector<size_t> digits;
    for (size_t i = 8; i < end; ++i)
      if (bytes[i] >= '0' && bytes[i] <= '9') digits.push_back(i);
    for (int trial = 0; trial < 800; ++trial) {
      std::string damaged = bytes;
      damaged[digits[random() % digits.size()]] = static_cast<char>('0' + random() % 10);
      loads(damaged);
    }
  }
}

TEST_CASE("the data is covered exactly: no overlap, no holes, nothing left over") {
  const std::string f32 = R"({"dtype":"F32","shape":[2],"data_offsets":)";
  CHECK(why_not(one_tensor(f32 + "[0,8]}", 8)) == "");
  CHECK(why_not(one_tensor(f32 + "[0,8]}", 9)).find("which has 9") != std::string::npos);
  CHECK(why_not(one_tensor(f32 + "[1,9]}", 9)).find("begins at byte 1") != std::string::npos);
  CHECK(why_not(one_tensor(f32 + "[0,8]}", 7)).find("truncated") != std::string::npos);
  CHECK(why_not(one_tensor(f32 + "[8,0]}", 8)) != "");
  CHECK(why_not(one_tensor(f32 + "[0,8]}", 12, ",\"u\":" + f32 + "[4,12]}")).find("begins at byte 4") !=
        std::string::npos);
  CHECK(why_not(one_tensor(f32 + "[0,8]}", 8, ",\"u\":" + f32 + "[0,8]}")) != "");
  CHECK(why_not(one_tensor(f32 + "[8,16]}", 16, ",\"u\":" + f32 + "[0,8]}")) == "");  // in any order
  CHECK(why_not(one_tensor(f32 + "[0,8]}", 8, R"(,"u":{"dtype":"F32","shape":[0],"data_offsets":[8,8]})")) == "");
  CHECK(why_not(file_of("{}", "")) == "");
  CHECK(why_not(file_of("{}", "1")) != "");
  for (const char* shape : {"[3]", "[]", "[1,1]", "[2,2]", "[-2]", "[2.5]", "[\"2\"]", "2", "[2,1,1,1,1]", "[1e9,1e9]",
                            "[4294967296,4294967296]", "[null]"})
    CHECK(why_not(one_tensor(with(R"({"dtype":"F32","data_offsets":[0,8],"shape":?})", shape), 8)) != "");
}

TEST_CASE("many tensors on the same bytes ask for no memory") {
  std::string header = "{";
  for (int i = 0; i < 3000; ++i)
    header.append(i ? ",\"t" : "\"t")
        .append(std::to_string(i))
        .append(R"(":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]})");
  CHECK(why_not(file_of(header + "}", std::string(4'000'000, '\0'))).find("begins at byte 0") != std::string::npos);
}

TEST_CASE("the header: its size, its first character, its types") {
  CHECK(why_not(std::string(7, '\0')) != "");
  CHECK(why_not(std::string(8, '\0')).find("does not begin") != std::string::npos);
  CHECK(why_not(file_of(" {}", "")).find("does not begin") != std::string::npos);
  CHECK(why_not(file_of("[]", "")).find("does not begin") != std::string::npos);
  CHECK(why_not(file_of("{}   ", "")) == "");  // padded with spaces
  CHECK(why_not(file_of("{}{}", "")) != "");
  std::string huge(8, '\0');
  const uint64_t size = 100'000'001;
  std::memcpy(huge.data(), &size, 8);
  CHECK(why_not(huge + "{}").find("100 MB") != std::string::npos);
  CHECK(why_not(std::string(16, '\xff')) != "");
  for (const char* type : {"F64", "I8", "f32", "F8_E4M3", "", "F32 ", "BOOL"})
    CHECK(why_not(one_tensor(with(R"({"shape":[2],"data_offsets":[0,8],"dtype":"?"})", type), 8)).find("has type") !=
          std::string::npos);
  for (const char* header :
       {R"({"__metadata__":{"a":1}})", R"({"__metadata__":"a"})", R"({"__metadata__":{},"__metadata__":{}})",
        R"({"t":[]})", R"({"t":{}})", R"({"t":{"dtype":"F32"}})", R"({"t":{"dtype":"F32","shape":[0]}})"})
    CHECK(why_not(file_of(header, "")) != "");
}

TEST_CASE("JSON is strict: UTF-8, no lone surrogates, numbers as they are written, bounded") {
  for (const char* good : {"{\"\xc3\xa9\":\"\xf0\x9f\x8e\xb5\"}", R"({"a":"\ud83c\udfb5"})",
                           "{\"a\":[0,-0,10,1.5,1e5,1E-5,0.0]}", "{\"a\":\"\xef\xbf\xbf\xed\x9f\xbf\"}"})
    CHECK_NOTHROW(Json::parse(good));
  for (const char* bad : {"{\"\xff\":1}",
                          "\"\xc3\"",
                          "\"\xc0\xaf\"",
                          "\"\xe0\x80\xaf\"",
                          "\"\xed\xa0\x80\"",
                          "\"\xf4\x90\x80\x80\"",
                          "\"\xf8\x88\x80\x80\x80\"",
                          "\"\x80\"",
                          R"("\udc00")",
                          R"("\ud800\u0041")",
                          R"("\ud800\ud800")",
                          R"("\ud800")",
                          "\"a\nb\"",
                          "\"\x01\"",
                          "01",
                          "1.",
                          ".5",
                          "-",
                          "+1",
                          "1e",
                          "1e+",
                          "0x10",
                          "inf",
                          "nan",
                          "Infinity",
                          "-inf",
                          "1e999",
                          "tru",
                          "\"\\x\"",
                          "\"\\",
                          "\"",
                          "{\"a\":1,}",
                          "{,}",
                          "[1 2]",
                          "{\"a\" 1}",
                          "{1:2}",
                          "{\"a\":{\"b\":1,\"b\":2}}"}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH_AS(Json::parse(bad), doctest::Contains("at byte"), std::invalid_argument);
  }
  std::string many = "[0";
  for (int i = 0; i < 1'100'000; ++i) many += ",0";
  CHECK_THROWS_WITH(Json::parse(many + "]"), doctest::Contains("million values"));
  for (const char bracket : {'[', '{'})
    CHECK_THROWS_AS(Json::parse(std::string(1'000'000, bracket)), std::invalid_argument);
}
