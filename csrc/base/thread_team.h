// A fixed team of threads that run the same function on different shares of a loop.
//
// A child process made by fork has none of its parent's threads. A team that the parent made goes on working there: the
// calling thread runs all shares.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace pyvocsep {

class ThreadTeam {
 public:
  // Starts threads - 1 threads: the caller of split() is the remaining one. A team of one never blocks. Throws
  // std::runtime_error, which says what to do, if a thread cannot start.
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  // Calls body(begin, end) with consecutive shares of 0..count, one on each thread; returns when all have returned.
  template <typename Body>
  void split(int count, const Body& body) noexcept {
    if (size() == 1 || count < 2) {
      if (count > 0) body(0, count);
      return;
    }
    const auto share = [&](int thread) {
      const int begin = count * thread / size(), end = count * (thread + 1) / size();
      if (begin < end) body(begin, end);
    };
    run([](const void* context, int thread) { (*static_cast<const decltype(share)*>(context))(thread); }, &share);
  }

 private:
  using Job = void (*)(const void* context, int thread);
  void run(Job job, const void* context) noexcept;
  void work(int thread) noexcept;
  void stop() noexcept;
  bool is_forked() const noexcept;

  const int size_;
  const uint32_t process_;  // the process that has the workers, by the number of forks before it
  Job job_ = nullptr;
  const void* context_ = nullptr;
  // Each on its own cache line: threads spin on these, and would slow down every access to a neighbour on the same
  // line.
  alignas(64) std::atomic<uint32_t> round_{0};    // grows by one for each job
  alignas(64) std::atomic<uint32_t> running_{0};  // workers that have not finished it
  alignas(64) std::atomic<bool> stop_{false};
  std::unique_ptr<std::vector<std::thread>> workers_;  // never null
};

}  // namespace pyvocsep
