// The C interface: the C++ class's bits, and an error in words for every wrong argument.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "pyvocsep/pyvocsep.h"
#include "pyvocsep/separator.h"
#include "tests/allocations.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

using Handle = std::unique_ptr<pyvocsep_separator, decltype(&pyvocsep_destroy)>;

const std::string& model_bytes() {
  static const std::string bytes = test::random_band_gru().bytes();
  return bytes;
}

Handle create(double rate = 44100, int channels = 2, int threads = 1) {
  return {pyvocsep_create_from_bytes(model_bytes().data(), model_bytes().size(), rate, channels, threads),
          &pyvocsep_destroy};
}

// Audio of up to two channels, and the pointers that the interface takes.
struct Planes {
  explicit Planes(int n) : left(n), right(n) {}
  std::vector<float> left, right;
  float* pointers[2];

  float** at(int sample) {
    pointers[0] = left.data() + sample;
    pointers[1] = right.data() + sample;
    return pointers;
  }
  bool operator==(const Planes& other) const { return left == other.left && right == other.right; }
};

Planes noise(int n) {
  std::mt19937 random(21);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  Planes x(n);
  for (float& v : x.left) v = normal(random);
  for (float& v : x.right) v = normal(random);
  return x;
}

void check_error(const char* words) { CHECK(std::string(pyvocsep_last_error()).find(words) != std::string::npos); }

}  // namespace

TEST_CASE("the C interface gives the bits of the C++ class, in any blocks, and a stream can follow another") {
  const int n = 9000;
  Planes x = noise(n);
  Separator expected(Model::from_bytes(model_bytes(), "model"), 44100, 2);
  const int latency = expected.latency(), total = n + latency;
  Planes silence(latency), vocals(total), accompaniment(total);
  expected.process(x.at(0), vocals.at(0), accompaniment.at(0), n);
  expected.process(silence.at(0), vocals.at(n), accompaniment.at(n), latency);

  const Handle separator = create();
  REQUIRE(separator);
  CHECK(pyvocsep_latency(separator.get()) == latency);
  for (const int block : {1, 64, 4096}) {
    CAPTURE(block);
    Planes v(total), a(total);
    for (int done = 0; done < n; done += block)
      REQUIRE(pyvocsep_process(separator.get(), x.at(done), v.at(done), a.at(done), std::min(block, n - done)) == 0);
    CHECK(pyvocsep_flush(separator.get(), v.at(n), a.at(n)) == latency);
    CHECK(v == vocals);
    CHECK(a == accompaniment);
  }
  Planes v(n), a(n);
  CHECK(pyvocsep_process(separator.get(), x.at(0), v.at(0), a.at(0), 5000) == 0);
  CHECK(pyvocsep_reset(separator.get()) == 0);
  CHECK(pyvocsep_process(separator.get(), x.at(0), v.at(0), a.at(0), n) == 0);
  CHECK(std::equal(v.left.begin(), v.left.end(), vocals.left.begin()));
}

TEST_CASE("the C interface takes a model by its path in UTF-8") {
  const std::u8string path = u8"test_c_api_mod\u00e8le.safetensors";
  std::ofstream(std::filesystem::path(path), std::ios::binary) << model_bytes();
  const Handle separator(pyvocsep_create(reinterpret_cast<const char*>(path.c_str()), 48000, 1, 2), &pyvocsep_destroy);
  std::filesystem::remove(path);
  REQUIRE(separator);
  CHECK(pyvocsep_latency(separator.get()) == pyvocsep_latency(create(48000, 1).get()));
}

TEST_CASE("wrong arguments of the C interface are errors in words, and leave the stream as it was") {
  CHECK(pyvocsep_create("no/such/model.safetensors", 44100, 2, 1) == nullptr);
  check_error("no/such/model.safetensors");
  CHECK(pyvocsep_create_from_bytes(nullptr, 100, 44100, 2, 1) == nullptr);
  check_error("model is NULL");
  CHECK(pyvocsep_create_from_bytes("nonsense", 8, 44100, 2, 1) == nullptr);
  check_error("safetensors");
  CHECK(pyvocsep_create_from_bytes("", 0, 44100, 2, 1) == nullptr);
  check_error("not a model file");
  for (const double rate : {0.0, -44100.0, 7999.0, 192001.0, std::nan(""), double{HUGE_VAL}}) {
    CHECK_FALSE(create(rate));
    check_error("8000 to 192000 Hz");
  }
  for (const int channels : {-1, 0, 3, 1 << 30}) {
    CHECK_FALSE(create(44100, channels));
    check_error("only mono and stereo");
  }
  for (const int threads : {-1, 0, 65, 1 << 30}) {
    CHECK_FALSE(create(44100, 2, threads));
    check_error("1 to 64");
  }

  const int n = 6000;
  Planes x = noise(n), v(n), a(n), expected(n);
  const Handle separator = create();
  REQUIRE(pyvocsep_process(separator.get(), x.at(0), expected.at(0), a.at(0), n) == 0);
  pyvocsep_reset(separator.get());
  REQUIRE(pyvocsep_process(separator.get(), x.at(0), v.at(0), a.at(0), 3000) == 0);

  pyvocsep_separator* const none = nullptr;
  CHECK(pyvocsep_process(none, x.at(0), v.at(0), a.at(0), n) == -1);
  check_error("separator is NULL");
  CHECK(pyvocsep_flush(none, v.at(0), a.at(0)) == -1);
  CHECK(pyvocsep_reset(none) == -1);
  CHECK(pyvocsep_latency(none) == -1);
  pyvocsep_destroy(none);

  float* const half[] = {v.left.data(), nullptr};
  CHECK(pyvocsep_process(separator.get(), nullptr, v.at(0), a.at(0), n) == -1);
  check_error("in is NULL");
  CHECK(pyvocsep_process(separator.get(), half, v.at(0), a.at(0), n) == -1);
  check_error("in is NULL");
  CHECK(pyvocsep_process(separator.get(), x.at(0), half, a.at(0), n) == -1);
  check_error("vocals is NULL");
  CHECK(pyvocsep_process(separator.get(), x.at(0), v.at(0), nullptr, n) == -1);
  check_error("accompaniment is NULL");
  CHECK(pyvocsep_process(separator.get(), x.at(0), v.at(0), a.at(0), -1) == -1);
  check_error("negative");
  CHECK(pyvocsep_process(separator.get(), nullptr, nullptr, nullptr, 0) == 0);
  CHECK(pyvocsep_flush(separator.get(), nullptr, a.at(0)) == -1);
  CHECK(pyvocsep_flush(separator.get(), v.at(0), half) == -1);

  REQUIRE(pyvocsep_process(separator.get(), x.at(3000), v.at(3000), a.at(3000), 3000) == 0);
  CHECK(v == expected);
}

TEST_CASE("the last error is the thread's own") {
  CHECK(pyvocsep_reset(nullptr) == -1);
  std::thread([] {
    CHECK(std::string(pyvocsep_last_error()).empty());
    CHECK_FALSE(create(1.0));
  }).join();
  check_error("separator is NULL");
}

TEST_CASE("after create the C interface allocates nothing, nor do its errors") {
  for (int threads = 1; threads <= 2; ++threads) {
    const Handle separator = create(44100, 2, threads);
    Planes x = noise(10000), v(10000), a(10000);
    const test::CountAllocations counter;
    for (const int n : {1, 512, 9000}) pyvocsep_process(separator.get(), x.at(0), v.at(0), a.at(0), n);
    pyvocsep_process(separator.get(), nullptr, v.at(0), a.at(0), 1);
    pyvocsep_flush(separator.get(), v.at(0), a.at(0));
    pyvocsep_reset(separator.get());
    CHECK(counter.count() == 0);
  }
}

TEST_CASE("the default model is there if the library was built with it") {
  const Handle separator(pyvocsep_create(nullptr, 44100, 2, 1), &pyvocsep_destroy);
#if defined(PYVOCSEP_EMBED_WEIGHTS)
  CHECK(separator);
  CHECK(Model::embedded().metadata() == Model(PYVOCSEP_MODELS "/band-gru.safetensors").metadata());
#else
  CHECK_FALSE(separator);
  check_error("PYVOCSEP_EMBED_WEIGHTS");
#endif
}

TEST_CASE("the version is three numbers") {
  int numbers[3] = {-1, -1, -1};
  CHECK(std::sscanf(pyvocsep_version(), "%d.%d.%d", &numbers[0], &numbers[1], &numbers[2]) == 3);
}
