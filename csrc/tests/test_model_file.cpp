#include <doctest/doctest.h>

#include <locale>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>

#include "model/json.h"
#include "model/model_file.h"
#include "model/number.h"
#include "pyvocsep/model.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

void load(const std::string& bytes) { Model::from_bytes(bytes, "test.safetensors"); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("a sound model loads") {
  CHECK_NOTHROW(load(test::random_band_gru().bytes()));
  CHECK_NOTHROW(load(test::random_gru().bytes()));
}

TEST_CASE("a missing file is a system error, a directory too") {
  CHECK_THROWS_AS(Model("no/such/file.safetensors"), std::system_error);
  CHECK_THROWS_AS(Model("."), std::system_error);
}

TEST_CASE("a file cut short anywhere is refused") {
  const std::string bytes = test::random_gru().bytes();
  for (size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 997) {
    CAPTURE(size);
    CHECK_THROWS_AS(load(bytes.substr(0, size)), std::invalid_argument);
  }
}

TEST_CASE("a damaged header or damaged weights give an error or a working model, never a crash") {
  const std::string bytes = test::random_gru().bytes();
  std::mt19937 random(11);
  int refused = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    std::string damaged = bytes;
    for (int i = 0; i < 3; ++i) damaged[random() % 2600] = static_cast<char>(random());
    try {
      load(damaged);
    } catch (const std::invalid_argument&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("errors name the tensor or the key") {
  test::ModelBuilder m = test::random_gru();
  m.tensor("vocals.bias", {7}, 1.0f);
  CHECK_THROWS_WITH(load(m.bytes()), doctest::Contains("tensor 'vocals.bias' has shape (7), expected (129)"));

  m = test::random_band_gru();
  m.tensor("blocks.1.band_gru.weight_hh_l0", {36, 13}, 1.0f);
  CHECK_THROWS_WITH(load(m.bytes()), doctest::Contains("blocks.1.band_gru.weight_hh_l0"));

  m = test::random_gru();
  m.tensor("gru.weight_hh_l1", {60, 20}, 1e30f);
  CHECK_THROWS_WITH(load(m.bytes()), doctest::Contains("tensor 'gru.weight_hh_l1' holds the value"));

  CHECK_THROWS_WITH(load(replaced(test::random_gru().bytes(), "\"F32\"", "\"I32\"")),
                    doctest::Contains("has type I32"));
  CHECK_THROWS_WITH(load(replaced(test::random_gru().bytes(), "vocals.weight", "vocalz.weight")),
                    doctest::Contains("tensor 'vocals.weight' is missing"));

  const std::pair<std::string, std::string> wrong[] = {{"format", "pyvocsep-9"},    {"architecture", "transformer"},
                                                       {"sample_rate", "0"},        {"sample_rate", "fast"},
                                                       {"n_fft", "99999"},          {"hop", "100"},
                                                       {"exponent", "-1"},          {"extension_bins", "1000"},
                                                       {"band_counts", "5,3"},      {"band_counts", "5,,4"},
                                                       {"band_counts", ""},         {"band_counts", "5,3,5"},
                                                       {"band_counts", "5,-3,4"},   {"band_widths", "4,20,30"},
                                                       {"band_widths", "4,20,999"}, {"stems", "drums"}};
  for (const auto& entry : wrong) {
    const std::string key = entry.first, value = entry.second;
    CAPTURE(key);
    CAPTURE(value);
    m = test::random_band_gru();
    m.metadata[key] = value;
    CHECK_THROWS_WITH_AS(load(m.bytes()), doctest::Contains(key.c_str()), std::invalid_argument);
    m.metadata.erase(key);
    CHECK_THROWS_WITH_AS(load(m.bytes()), doctest::Contains(("metadata '" + key + "' is missing").c_str()),
                         std::invalid_argument);
  }
}

TEST_CASE("the memories of a running level and of a spatial filter are optional, and lengths of time") {
  CHECK_NOTHROW(load(test::spatial(test::random_band_gru(2, "4.0"), "2.0").bytes()));
  for (const char* value : {"0", "-4", "nan", "61", "long", "0.09"}) {
    CAPTURE(value);
    CHECK_THROWS_WITH_AS(load(test::random_band_gru(2, value).bytes()), doctest::Contains("level_seconds"),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(load(test::spatial(test::random_gru(), value).bytes()), doctest::Contains("spatial_seconds"),
                         std::invalid_argument);
  }
}

TEST_CASE("numbers are read to the last bit, in any locale") {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  CHECK(parse_number("0.3") == 0.3);
  CHECK(parse_number("-1e-05") == -1e-5);
  CHECK(parse_number("2.2250738585072014E-308") == 0x1p-1022);
  CHECK(parse_number("1.7976931348623157e+308") == 0x1.fffffffffffffp1023);
  CHECK(parse_number("9007199254740993.0000001") == 9007199254740994.0);  // just above the middle of two doubles
  for (const char* none :
       {"", "-", "+1", "01", "1.", ".5", "1e", "0,3", "1 ", " 1", "1e999", "-1e999", "0x10", "inf", "nan"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_number(none));
  }
  std::locale::global(before);
}

TEST_CASE("half precision weights are read exactly") {
  // 1, -2, the largest, the smallest normal and the smallest denormal half.
  const std::string data("\x00\x3c\x00\xc0\xff\x7b\x00\x04\x01\x00", 10);
  const std::string header = R"({"t":{"dtype":"F16","shape":[5],"data_offsets":[0,10]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  const ModelFile good(bytes + header + data.substr(0, 4) + data.substr(6) + data.substr(0, 2), "test");
  const Tensor& t = good.tensor("t", {5});
  CHECK(t.values[0] == 1.0f);
  CHECK(t.values[1] == -2.0f);
  CHECK(t.values[2] == 0x1p-14f);
  CHECK(t.values[3] == 0x1p-24f);
  CHECK_THROWS_WITH(ModelFile(bytes + header + data, "test"), doctest::Contains("65504"));
}

TEST_CASE("JSON: escapes, nesting, and what is not JSON") {
  const Json json = Json::parse(R"( {"a\u00e9\n\ud83c\udfb5" : [1, -2.5e1, "x", true, null, {}]} )");
  const auto& [key, value] = *json.object()->begin();
  CHECK(key == "a\u00e9\n\U0001F3B5");
  CHECK(*(*value.array())[1].number() == -25.0);
  for (const char* bad : {"", "{", "{]", "[1,]", "{\"a\"}", "{\"a\":1,\"a\":2}", "\"\\u12\"", "\"\\ud800\"", "nul",
                          "1 2", "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]"}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH_AS(Json::parse(bad), doctest::Contains("at byte"), std::invalid_argument);
  }
}
