#include "base/thread_team.h"

#include <stdexcept>
#include <string>
#include <system_error>

#include "base/denormals.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace pyvocsep {

namespace {

std::atomic<uint32_t> forks{0};  // between the first process that used a team and this one

void count_forks() {
#if !defined(_WIN32)
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
#endif
}

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield");
#endif
}

// Waits until the value is no longer `old`. A stage of the network takes about 100 us, less than a sleeping thread
// needs to wake up: so it spins first, and sleeps only when the next block of audio is late. It yields as it spins: the
// thread that it waits for may need this processor.
void wait_while(const std::atomic<uint32_t>& value, uint32_t old) noexcept {
  for (int yields = 0; yields < 64; ++yields) {
    for (int spin = 0; spin < 64; ++spin) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
    std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(int threads)
    : size_(threads), process_(forks.load(std::memory_order_relaxed)), workers_(new std::vector<std::thread>) {
  if (threads == 1) return;
  count_forks();
  try {
    workers_->reserve(static_cast<size_t>(threads - 1));
    for (int thread = 1; thread < threads; ++thread) workers_->emplace_back([this, thread] { work(thread); });
  } catch (const std::system_error& error) {
    const size_t failed = workers_->size() + 2;  // the caller is the first
    stop();
    throw std::runtime_error(
        "cannot start thread " + std::to_string(failed) + " of " + std::to_string(threads) + ": " +
        error.code().message() +
        ". The process or its user has as many threads as the system allows: ask for fewer threads");
  } catch (...) {
    stop();
    throw;
  }
  // An empty job waits until all threads run: what a C library allocates as a thread begins is part of the
  // construction.
  run([](const void*, int) {}, nullptr);
}

ThreadTeam::~ThreadTeam() {
  if (is_forked())
    workers_.release();  // handles of threads that are not here: nothing may be done with them
  else
    stop();
}

void ThreadTeam::stop() noexcept {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : *workers_) worker.join();
}

bool ThreadTeam::is_forked() const noexcept { return size_ > 1 && process_ != forks.load(std::memory_order_relaxed); }

void ThreadTeam::run(Job job, const void* context) noexcept {
  if (is_forked()) {
    for (int thread = 0; thread < size_; ++thread) job(context, thread);
    return;
  }
  job_ = job;
  context_ = context;
  running_.store(static_cast<uint32_t>(size_ - 1), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  job(context, 0);
  for (uint32_t left; (left = running_.load(std::memory_order_acquire)) != 0;) wait_while(running_, left);
}

void ThreadTeam::work(int thread) noexcept {
  const FlushDenormals flush;
  for (uint32_t seen = 0;;) {
    wait_while(round_, seen);
    ++seen;
    if (stop_.load(std::memory_order_relaxed)) return;
    job_(context_, thread);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
  }
}

}  // namespace pyvocsep
