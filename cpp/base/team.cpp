#include "base/team.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "base/block_signals.h"
#include "base/check.h"
#include "base/cpu_place.h"
#include "base/denormals.h"
#include "base/fork_count.h"
#include "base/interrupt.h"
#include "base/no_copy.h"
#include "base/park.h"
#include "base/spin.h"
#include "base/wake_cost.h"

namespace lstmfast::base::team {
namespace {

// How long a worker without work spins before it sleeps. Waking a sleeping worker costs 5 to 50 us;
// the parts of a model's step follow each other faster than this, a pause in Python is longer.
constexpr std::chrono::microseconds kIdleSpin{50};

using Clock = std::chrono::steady_clock;

struct Job {
  Function function;
  void* context;
  int n;
  int caller_cpu;
  FpMode fp_mode;
  Interrupt* interrupt;
  Clock::time_point wake_begin;           // where workers sleep: when the caller began to wake them
  std::atomic<std::int64_t> woken_ns{0};  // from then until the last of them started
  std::atomic<bool> failed{false};
  std::exception_ptr error;  // of the thread that set failed
  Barrier barrier{n};

  void run_part(int tid) noexcept {
    attempt([&] { function(context, tid, n, barrier); });
  }
  template <class F>
  void attempt(F f) noexcept {
    try {
      f();
    } catch (...) {
      if (!failed.exchange(true, std::memory_order_relaxed)) error = std::current_exception();
      barrier.abort();
    }
  }
};

// What a worker is to do, and whether it must be woken to see that.
enum Word : std::uint32_t { kIdle, kAsleep, kWork, kStop };

struct alignas(64) Worker {
  std::atomic<std::uint32_t> word{kIdle};
  std::thread thread;
};

// A bit of State::pending: the caller sleeps.
constexpr std::uint32_t kCallerAsleep = std::uint32_t{1} << 31;

// `busy` is the lock of the team: the thread that set it owns the members that are not atomic.
// Workers read `job` between kWork and their decrement of `pending`, which order the accesses.
struct State {
  alignas(64) std::atomic<bool> busy{false};
  std::atomic<int> limit{0};  // 0: not asked yet
  std::atomic<int> started{0};
  Job* job = nullptr;
  Worker* workers[kMaxThreads - 1] = {};
  WakeCost wake_cost;
  MissedSavings missed;
  alignas(64) std::atomic<std::uint32_t> pending{0};
};

// Constant-initialised and never destroyed: a worker may sleep on it until the process is gone.
State state;
static_assert(std::is_trivially_destructible_v<State>);

// `slept`: whether the worker had to be woken.
std::uint32_t await_word(Worker& worker, bool spin, bool& slept) noexcept {
  const auto has_word = [&] { return worker.word.load(std::memory_order_acquire) != kIdle; };
  slept = false;
  if (!spin || !spin_until(kIdleSpin, has_word)) {
    std::uint32_t idle = kIdle;
    slept = worker.word.compare_exchange_strong(idle, kAsleep, std::memory_order_acq_rel);
    if (slept) {
      while (worker.word.load(std::memory_order_acquire) == kAsleep) park(worker.word, kAsleep);
    }
  }
  return worker.word.load(std::memory_order_acquire);
}

void note_start(Job& job) noexcept {
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - job.wake_begin).count();
  std::int64_t last = job.woken_ns.load(std::memory_order_relaxed);
  while (last < now && !job.woken_ns.compare_exchange_weak(last, now, std::memory_order_relaxed)) {
  }
}

void worker_main(Worker* worker, int tid, std::uint32_t born) noexcept {
  bool spin = true, slept;
  while (await_word(*worker, spin, slept) == kWork) {
    worker->word.store(kIdle, std::memory_order_relaxed);
    Job& job = *state.job;
    if (slept) note_start(job);
    set_fp_mode(job.fp_mode);
    Interrupt::set_current(job.interrupt);
    job.run_part(tid);
    // On the caller's CPU, spinning would keep the caller from running.
    spin = job.caller_cpu < 0 || job.caller_cpu != current_cpu();
    // The job forked, and this is the thread that goes on in the child: its team does not exist
    // there.
    if (fork_count() != born) return;
    const std::uint32_t before = state.pending.fetch_sub(1, std::memory_order_acq_rel);
    if (before == (kCallerAsleep | 1)) unpark_one(state.pending);
  }
}

void send(Worker& worker, Word what, int caller_cpu) noexcept {
  if (worker.word.exchange(what, std::memory_order_acq_rel) == kAsleep) {
    const auto wake = [](void* context) noexcept {
      unpark_one(static_cast<Worker*>(context)->word);
    };
    wake_off_cpu(worker.thread, caller_cpu, wake, &worker);
  }
}

void await_workers(Job& job) noexcept {
  const auto left = [&] { return state.pending.load(std::memory_order_acquire) & ~kCallerAsleep; };
  if (left() == 0 || spin_patience.wait([&] { return left() == 0; })) return;
  std::uint32_t seen = state.pending.fetch_or(kCallerAsleep, std::memory_order_acq_rel);
  while (left() != 0) {
    seen = state.pending.load(std::memory_order_acquire);
    if ((seen & ~kCallerAsleep) == 0) continue;
    if (job.interrupt == nullptr) {
      park(state.pending, seen);
    } else {
      park(state.pending, seen, Interrupt::kPeriod);
      job.attempt([&] { job.interrupt->look(); });
    }
  }
}

// Ends the workers when the process exits or the library is unloaded. A team in use is left alone:
// its caller may be the very thread that exits.
struct Shutdown {
  ~Shutdown() {
    if (state.busy.exchange(true, std::memory_order_acquire)) return;
    const int started = state.started.exchange(0, std::memory_order_relaxed);
    for (int i = 0; i < started; ++i) send(*state.workers[i], kStop, -1);
    for (int i = 0; i < started; ++i) {
      state.workers[i]->thread.join();
      delete state.workers[i];
      state.workers[i] = nullptr;
    }
    // busy stays set: a later run uses its caller's thread alone.
  }
};
const Shutdown shutdown;

// Only the thread that forked exists in the child, so the team starts empty there. The parent's
// Worker objects stay reachable and are used again.
void forget_team_in_child() noexcept {
  reset_parking_after_fork();
  state.started.store(0, std::memory_order_relaxed);
  state.pending.store(0, std::memory_order_relaxed);
  state.job = nullptr;
  state.busy.store(false, std::memory_order_release);
}

// When the library is loaded: while the first worker starts, another thread might fork.
[[maybe_unused]] const int registered = ::pthread_atfork(nullptr, nullptr, forget_team_in_child);

// Throws std::system_error or std::bad_alloc where the system refuses.
void start_worker(int i) {
  const BlockSignals blocked;
  if (state.workers[i] == nullptr) state.workers[i] = new Worker;
  // After a fork the child constructs a new object in place and never destroys the old one, whose
  // std::thread belongs to the parent.
  Worker* worker = new (state.workers[i]) Worker;
  worker->thread = std::thread(worker_main, worker, i + 1, fork_count());
  state.started.store(i + 1, std::memory_order_relaxed);
}

// Starts workers where fewer than `wanted` exist, and returns how many of these there are. Called
// by the owner of the team.
int ensure_workers(int wanted) {
  int started = state.started.load(std::memory_order_relaxed);
  if (started >= wanted) return wanted;
  try {
    for (; started < wanted; ++started) start_worker(started);
  } catch (const std::system_error&) {  // fewer threads give the same result, later
  } catch (const std::bad_alloc&) {
  }
  return started;
}

struct Sleepers {
  int count;
  int first;  // the first that sleeps; the number of workers where none does
};

// Among the first `workers` workers; those that do not exist yet count as sleeping.
Sleepers find_sleepers(int workers) noexcept {
  const int started = state.started.load(std::memory_order_relaxed);
  Sleepers found{0, workers};
  for (int i = workers - 1; i >= 0; --i) {
    if (i < started && state.workers[i]->word.load(std::memory_order_relaxed) != kAsleep) continue;
    ++found.count;
    found.first = i;
  }
  return found;
}

// How many of n threads to use for work of `seconds`: all, where the time saved, by this run or by
// all that followed each other lately, is worth waking the sleeping ones; else the caller and the
// workers before the first that sleeps. Called by the owner of the team.
int worth_waking(int n, double seconds) noexcept {
  constexpr double kLeastGain = 2;  // waking takes CPUs from other processes, too
  const Sleepers asleep = find_sleepers(n - 1);
  if (asleep.count == 0) return n;
  const double saving = seconds * (n - 1) / n, cost = state.wake_cost.of(asleep.count);
  if (saving > kLeastGain * cost ||
      state.missed.add(saving, seconds, kIdleSpin) > kLeastGain * cost) {
    state.missed.clear();
    return n;
  }
  state.wake_cost.declined();
  return asleep.first + 1;
}

// Holds the team for one run, if that is to have several threads. A thread that forks must not use
// it in the child.
class Lease : NoCopy {
 public:
  explicit Lease(Request request);
  ~Lease() {
    if (n > 1) state.busy.store(false, std::memory_order_release);
  }

  int n = 1;  // threads of the run
};

Lease::Lease(Request request) {
  const int most = request.threads > 1 ? std::min(request.threads, get_num_threads()) : 1;
  if (most == 1) return;
  const Waking waking = ask_for_threads();
  if (waking == Waking::never || state.busy.load(std::memory_order_relaxed) ||
      state.busy.exchange(true, std::memory_order_acquire)) {
    return;
  }
  n = waking == Waking::worth ? worth_waking(most, request.seconds) : most;
  if (n > 1) n = ensure_workers(n - 1) + 1;
  if (n == 1) state.busy.store(false, std::memory_order_release);
}

// Of the static kind, and with it all such variables of a shared library: those of the other kind
// are allocated when a thread first uses one, which a step must not do.
__attribute__((tls_model("initial-exec"))) thread_local bool is_alone = false;

}  // namespace

Alone::Alone() noexcept : before_(std::exchange(is_alone, true)) {}
Alone::~Alone() { is_alone = before_; }

int get_num_threads() {
  if (is_alone) return 1;
  int n = state.limit.load(std::memory_order_relaxed);
  if (n == 0) {
    const int counted = default_thread_count();
    // Another thread may have set a number meanwhile, which stands.
    n = state.limit.compare_exchange_strong(n, counted) ? counted : n;
  }
  return n;
}

void set_num_threads(int n) {
  LF_CHECK(n >= 1 && n <= kMaxThreads,
           "[set_num_threads] n is " << n << "; expected 1 to " << kMaxThreads);
  state.limit.store(n, std::memory_order_relaxed);
}

int worker_count() noexcept { return state.started.load(std::memory_order_relaxed); }

void assume_wake_seconds(double seconds) noexcept {
  while (state.busy.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  state.wake_cost.assume(seconds);
  state.busy.store(false, std::memory_order_release);
}

int run(Request request, Function function, void* context) {
  const Lease lease(request);
  const int n = lease.n;
  if (n == 1) {
    Barrier alone(1);
    function(context, 0, 1, alone);
    return 1;
  }
  Job job{function, context, n, current_cpu(), fp_mode(), Interrupt::current(), {}, {}, {}, {}};
  const int asleep = find_sleepers(n - 1).count;
  if (asleep > 0) job.wake_begin = Clock::now();
  state.job = &job;
  state.pending.store(static_cast<std::uint32_t>(n - 1), std::memory_order_relaxed);
  for (int i = 0; i < n - 1; ++i) send(*state.workers[i], kWork, job.caller_cpu);
  const Clock::time_point all_woken = asleep > 0 ? Clock::now() : job.wake_begin;
  job.run_part(0);
  await_workers(job);
  const std::int64_t woken_ns = job.woken_ns.load(std::memory_order_relaxed);
  if (asleep > 0 && woken_ns > 0) {
    const std::chrono::duration<double> call = all_woken - job.wake_begin;
    state.wake_cost.add(asleep, call.count(), double(woken_ns) * 1e-9);
  }
  if (job.error) std::rethrow_exception(job.error);
  return n;
}

}  // namespace lstmfast::base::team
