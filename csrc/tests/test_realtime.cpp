// The third promise: process() allocates nothing, takes no lock and makes no system call; with threads, it waits for
// them by futex and yields the processor, and that is all.
//
// Each case runs in a child process, in which the kernel refuses every other system call (seccomp) once the stream is
// made. The process that would be refused says which call it was.
#include <doctest/doctest.h>

#if defined(__linux__) && defined(__x86_64__) && !defined(__SANITIZE_THREAD__)  // whose threads make calls of their own

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "base/thread_team.h"
#include "pyvocsep/separator.h"
#include "pyvocsep/stem_mixer.h"
#include "tests/allocations.h"
#include "tests/locks.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

struct Report {
  int system_call = -1;  // the one that was refused
  int allocations = -1;
  int locks = -1;
};

Report* shared_report = nullptr;

void refused(int, siginfo_t* info, void*) {
  shared_report->system_call = info->si_syscall;
  syscall(SYS_exit_group, 1);
}

// From here on no thread of the process may make system calls, but for exit_group and, where `waiting` is allowed,
// those by which threads wait.
bool raise_fence(bool waiting) {
  struct sigaction action{};
  action.sa_sigaction = refused;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  const uint32_t futex = waiting ? SYS_futex : SYS_exit_group, yield = waiting ? SYS_sched_yield : SYS_exit_group;
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, futex, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, yield, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(filter), .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

// Runs `make()` in a child process, then behind the fence what it returned.
template <typename Make>
Report behind_fence(bool waiting, const Make& make) {
  void* const page = mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  shared_report = new (page) Report;
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    const auto body = make();
    if (!raise_fence(waiting)) _exit(2);
    {
      const test::CountAllocations allocations;
      const test::CountLocks locks;
      body();
      shared_report->allocations = allocations.count();
      shared_report->locks = locks.count();
    }
    syscall(SYS_exit_group, 0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  const Report report = *shared_report;
  munmap(page, sizeof(Report));
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == (report.system_call < 0 ? 0 : 1));
  return report;
}

void check_clean(const Report& report) {
  CHECK(report.system_call == -1);
  CHECK(report.allocations == 0);
  CHECK(report.locks == 0);
}

// A stream that processes blocks of many sizes and is reset in between; `outputs` is how many process() takes.
template <typename Stream>
auto blocks_of(const Model& model, int threads) {
  constexpr int kSamples = 20000;
  auto stream = std::make_shared<Stream>(model, 44100, 2, threads);
  auto planes = std::make_shared<std::vector<float>>(6 * kSamples);
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  for (float& v : *planes) v = normal(random);
  const auto process = [stream, planes] {
    float* at[6];
    for (int i = 0; i < 6; ++i) at[i] = planes->data() + i * kSamples;
    for (int round = 0; round < 2; ++round) {
      for (const int n : {1, 0, 512, kSamples, 777, 64}) {
        if constexpr (std::is_same_v<Stream, Separator>) {
          stream->process(at, at + 2, at + 4, n);
        } else {
          stream->set_gains(0.1f * static_cast<float>(round), 0.5f);
          stream->process(at, at + 2, n);
        }
      }
      stream->reset();
    }
  };
  process();  // threads make system calls as they start: let them have started
  return process;
}

std::shared_ptr<ThreadTeam> started_team(int threads) {
  auto team = std::make_shared<ThreadTeam>(threads);
  team->split(threads, [](int, int) {});
  return team;
}

const Model& model(int which) {
  static const Model models[] = {
      Model::from_bytes(test::random_band_gru().bytes(), "band"), Model::from_bytes(test::random_gru().bytes(), "gru"),
      Model::from_bytes(test::spatial(test::random_band_gru_ahead()).bytes(), "band that looks ahead")};
  return models[which];
}

}  // namespace

TEST_CASE("process makes no system call, takes no lock and allocates nothing") {
  for (int which = 0; which < 3; ++which) {
    CAPTURE(which);
    check_clean(behind_fence(false, [&] { return blocks_of<Separator>(model(which), 1); }));
    check_clean(behind_fence(false, [&] { return blocks_of<StemMixer>(model(which), 1); }));
  }
}

TEST_CASE("with threads, process waits for them and does nothing else") {
  for (int which = 0; which < 3; ++which) {
    CAPTURE(which);
    check_clean(behind_fence(true, [&] { return blocks_of<Separator>(model(which), 3); }));
    check_clean(behind_fence(true, [&] { return blocks_of<StemMixer>(model(which), 2); }));
  }
}

TEST_CASE("the fence finds a system call, in any thread") {
  CHECK(behind_fence(false, [] { return [] { syscall(SYS_getppid); }; }).system_call == SYS_getppid);
  CHECK(behind_fence(true, [] { return [] { syscall(SYS_getppid); }; }).system_call == SYS_getppid);
  CHECK(behind_fence(false, [] { return [] { syscall(SYS_sched_yield); }; }).system_call == SYS_sched_yield);
  const auto in_a_worker = [] {
    auto team = started_team(2);
    return [team] {
      team->split(2, [](int begin, int) {
        if (begin == 1) syscall(SYS_getppid);
      });
    };
  };
  CHECK(behind_fence(true, in_a_worker).system_call == SYS_getppid);
}

TEST_CASE("locks and allocations are found, in any thread") {
  const auto locks = [] {
    return [] {
      static std::mutex mutex;
      const std::lock_guard lock(mutex);
    };
  };
  CHECK(behind_fence(false, locks).locks == 1);
  const auto in_a_worker = [] {
    auto team = started_team(2);
    auto mutex = std::make_shared<std::mutex>();
    return [team, mutex] {
      team->split(2, [&](int begin, int) {
        if (begin == 0) return;
        const std::lock_guard lock(*mutex);
        ::operator delete(::operator new(8));
      });
    };
  };
  const Report report = behind_fence(true, in_a_worker);
  CHECK(report.locks == 1);
  CHECK(report.allocations == 2);
}

#endif
