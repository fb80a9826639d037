// Every allocation of a construction fails in turn: it throws, and nothing leaks.
#include <doctest/doctest.h>

#include <new>
#include <string>

#include "pyvocsep/separator.h"
#include "pyvocsep/stem_mixer.h"
#include "tests/faults.h"
#include "tests/small_models.h"

using namespace pyvocsep;

namespace {

// How many allocations `make` makes, each of which has failed once.
template <typename Make>
int allocations_of(const Make& make) {
  make();  // what is made once for the process is there
  for (int k = 0;; ++k) {
    bool whole = false, thrown = false;
    const test::FailAllocation fail(k);
    try {
      make();
      whole = true;
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    const bool happened = fail.happened();
    const int live = fail.live();
    CHECK(live == 0);
    if (!happened) {
      CHECK(whole);
      return k;
    }
    CHECK(thrown);
  }
}

}  // namespace

TEST_CASE("reading a model: every allocation may fail") {
  for (const std::string& bytes :
       {test::small_band_gru().bytes(), test::small_band_gru_ahead().bytes(), test::small_gru().bytes()})
    CHECK(allocations_of([&] { Model::from_bytes(bytes, "test"); }) > 100);
}

TEST_CASE("a stream's construction: every allocation may fail, with threads too") {
  const Model band = Model::from_bytes(test::small_band_gru().bytes(), "band");
  const Model ahead = Model::from_bytes(test::small_band_gru_ahead().bytes(), "band that looks ahead");
  const Model gru = Model::from_bytes(test::small_gru().bytes(), "gru");
  for (const Model* model : {&band, &ahead, &gru})
    for (const int threads : {1, 3}) {
      CHECK(allocations_of([&] { Separator(*model, 16000, 2, threads); }) > 50);
      CHECK(allocations_of([&] { StemMixer(*model, 8000, 1, threads); }) > 50);
    }
}

TEST_CASE("an allocation that fails is noticed") {
  const test::FailAllocation fail(1);
  void* const one = ::operator new(4);  // a pair of new and delete expressions may be left out by the compiler
  const int live = fail.live();
  bool thrown = false;
  try {
    ::operator delete(::operator new(4));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  ::operator delete(one);
  const int after = fail.live();
  CHECK(live == 1);
  CHECK(thrown);
  CHECK(fail.happened());
  CHECK(after == 0);
}
