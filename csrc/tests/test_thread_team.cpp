// The team of threads: its shares, what happens when a thread cannot start, and after fork.
#include <doctest/doctest.h>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/processors.h"
#include "base/thread_team.h"
#include "pyvocsep/separator.h"
#include "tests/faults.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

// The sum of the numbers below `count`, by the team.
int64_t sum_by(ThreadTeam& team, int count) {
  std::atomic<int64_t> sum{0};
  team.split(count, [&](int begin, int end) {
    for (int i = begin; i < end; ++i) sum += i;
  });
  return sum;
}

#if defined(__linux__)
int threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

// How many there are when those that were joined are gone, which takes a while in an emulator.
int settled_threads() {
  int count = threads_of_process();
  for (int same = 0; same < 50;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const int now = threads_of_process();
    same = now == count ? same + 1 : 0;
    count = now;
  }
  return count;
}

// Whether the process has, within two seconds, that many threads: the system lists one for a moment after it was
// joined.
bool threads_settle_at(int expected) {
  for (int i = 0; i < 2000 && threads_of_process() != expected; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return threads_of_process() == expected;
}
#endif

#if !defined(_WIN32)
std::vector<float> vocals_of(Separator& separator) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  const int n = 5000;
  std::vector<float> x(2 * n), vocals(2 * n), accompaniment(2 * n);
  for (float& v : x) v = normal(random);
  const float* in[] = {x.data(), x.data() + n};
  float* v[] = {vocals.data(), vocals.data() + n};
  float* a[] = {accompaniment.data(), accompaniment.data() + n};
  separator.process(in, v, a, n);
  return vocals;
}

// Runs `body` in a child process, which has ten seconds, and returns its exit status; -1 if a signal ended it.
template <typename Body>
int in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    _exit(body());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif

// A temporary folder. What it holds is known and not read back: on a 32-bit ARM the C++ library of Zig cannot read
// folders whose files have numbers of 64 bits.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("pyvocsep-" + std::to_string(std::random_device()()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;  // of a folder that still holds others
    for (auto file = written_.rbegin(); file != written_.rend(); ++file)
      for (std::filesystem::path path = *file; path != path_; path = path.parent_path())
        std::filesystem::remove(path, ignored);
    std::filesystem::remove(path_, ignored);
  }
  std::string write(const std::string& name, const std::string& text) {
    const std::filesystem::path& file = written_.emplace_back(path_ / name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> written_;
};

}  // namespace

TEST_CASE("every index is in exactly one share") {
  for (int threads = 1; threads <= 5; ++threads) {
    ThreadTeam team(threads);
    CHECK(team.size() == threads);
    for (int count = 0; count < 40; ++count) {
      std::array<std::atomic<int>, 40> seen{};
      std::atomic<int> empty{0};
      team.split(count, [&](int begin, int end) {
        empty += begin >= end;
        for (int i = begin; i < end; ++i) ++seen[i];
      });
      CHECK(empty == 0);
      for (int i = 0; i < 40; ++i) CHECK(seen[i] == (i < count));
    }
  }
}

TEST_CASE("many rounds after one another, and after a pause in which the threads sleep") {
  ThreadTeam team(3);
  for (int round = 0; round < 2000; ++round) REQUIRE(sum_by(team, 100) == 4950);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(sum_by(team, 100) == 4950);
  }
}

#if !defined(_WIN32)
TEST_CASE("after fork the child works by itself, and the parent goes on") {
  ThreadTeam team(3);
  CHECK(sum_by(team, 100) == 4950);
  CHECK(in_child([&] { return sum_by(team, 100) == 4950 && sum_by(team, 1) == 0 ? 7 : 1; }) == 7);
  CHECK(sum_by(team, 100) == 4950);
  CHECK(in_child([] {  // a child of a child, and a team that is taken down there
          auto own = std::make_unique<ThreadTeam>(1);
          return in_child([&] {
            own.reset();
            return 3;
          });
        }) == 3);
  auto whole = std::make_unique<ThreadTeam>(3);
  CHECK(in_child([&] {
          const bool right = sum_by(*whole, 100) == 4950;
          whole.reset();
          return right ? 5 : 1;
        }) == 5);
}

TEST_CASE("a separator with threads has the same bits in a child") {
  const Model model = Model::from_bytes(test::random_band_gru().bytes(), "band");
  Separator one(model, 44100, 2, 1), several(model, 44100, 2, 3);
  const std::vector<float> expected = vocals_of(one);
  CHECK(vocals_of(several) == expected);
  several.reset();
  CHECK(in_child([&] { return vocals_of(several) == expected ? 7 : 1; }) == 7);
  CHECK(vocals_of(several) == expected);
}
#endif

#if defined(__linux__)  // where starts of threads can be made to fail
TEST_CASE("a thread that cannot start is an error in words, and those before it are gone") {
  const int before = settled_threads();
  for (int k = 0; k < 3; ++k) {
    CAPTURE(k);
    const test::FailThread fail(k);
    const std::string expected = "cannot start thread " + std::to_string(k + 2) + " of 4";
    CHECK_THROWS_WITH_AS(ThreadTeam(4), doctest::Contains(expected.c_str()), std::runtime_error);
    CHECK(fail.happened());
    CHECK(threads_settle_at(before));
  }
  const Model model = Model::from_bytes(test::random_band_gru().bytes(), "band");
  const test::FailThread fail(0);
  CHECK_THROWS_WITH_AS(Separator(model, 44100, 2, 2), doctest::Contains("fewer threads"), std::runtime_error);
}

TEST_CASE("no more threads than processors that the process may run on") {
  const Model model = Model::from_bytes(test::random_band_gru().bytes(), "band");
  const int before = settled_threads();
  for (const int processors : {1, 2, 3}) {
    const test::PretendProcessors pretend(processors);
    CHECK(usable_processors() <= processors);
    const Separator separator(model, 44100, 2, 8);
    CHECK(threads_settle_at(before + usable_processors() - 1));
  }
}
#endif

TEST_CASE("the quota of a control group is read, of version 2 and 1, of the group and those around it") {
  Folder folder;
  const std::string v2 = folder.write("v2", "0::/outer/inner\n");
  CHECK(quota_processors(folder.path() + "/none", v2) == 0);  // there is no such file system
  folder.write("two/outer/inner/cpu.max", "max 100000\n");
  CHECK(quota_processors(folder.path() + "/two", v2) == 0);
  folder.write("two/outer/cpu.max", "250000 100000\n");
  CHECK(quota_processors(folder.path() + "/two", v2) == 3);
  folder.write("two/outer/inner/cpu.max", "100000 100000\n");
  CHECK(quota_processors(folder.path() + "/two", v2) == 1);
  folder.write("two/outer/inner/cpu.max", "20000 100000\n");
  CHECK(quota_processors(folder.path() + "/two", v2) == 1);  // a fifth of one processor is one
  for (const char* nonsense : {"", "fast", "-5 100000", "100 0", "1e400 1", "100000"}) {
    CAPTURE(nonsense);
    folder.write("two/outer/inner/cpu.max", nonsense);
    CHECK(quota_processors(folder.path() + "/two", v2) == 3);
  }
  folder.write("bare/cpu.max", "150000 100000\n");  // in a container the path of the group may not be visible
  CHECK(quota_processors(folder.path() + "/bare", v2) == 2);

  const std::string v1 = folder.write("v1", "5:memory:/a\n3:cpu,cpuacct:/a/b\n0::/\n");
  folder.write("one/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  folder.write("one/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  CHECK(quota_processors(folder.path() + "/one", v1) == 0);
  folder.write("one/cpu,cpuacct/a/cpu.cfs_quota_us", "400000\n");
  folder.write("one/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  CHECK(quota_processors(folder.path() + "/one", v1) == 4);
  CHECK(quota_processors(folder.path() + "/one", folder.path() + "/missing") == 0);
}

TEST_CASE("no more processors are usable than the mask and the quota allow") {
  Folder folder;
  const std::string own = folder.write("own", "0::/\n");
  const int mask = usable_processors(folder.path() + "/none", own);
  CHECK(mask >= 1);
  folder.write("one/cpu.max", "100000 100000\n");
  CHECK(usable_processors(folder.path() + "/one", own) == 1);
  folder.write("many/cpu.max", "99900000000 100000\n");
  CHECK(usable_processors(folder.path() + "/many", own) == mask);
}
