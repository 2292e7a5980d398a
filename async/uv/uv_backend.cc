#include "async/uv/uv_backend.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "async/internal/engine.h"
#include "async/internal/random_state.h"
#include "async/io/io_error.h"
#include "async/uv/uv_network.h"

namespace async::internal {

namespace {

constexpr int max_num_threads = 64;

// libuv aborts when it cannot open what a loop needs, so make sure that it can.
void check_that_descriptors_are_left() {
  std::array<int, 8> fds{};
  int error = 0;
  for (int& fd : fds) {
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) error = errno;
  }
  for (const int fd : fds) {
    if (fd >= 0) close(fd);
  }
  if (error != 0) throw Io_error(io_error_of_errno(error), "start the event loop");
}

/// What the process did with its signals before somebody watched them, which libuv forgets.
class Saved_dispositions {
 public:
  void add_watch(int number) {
    const std::scoped_lock lock(mutex_);
    Saved& saved = by_signal_[number];
    if (saved.num_watches++ == 0) sigaction(number, nullptr, &saved.before);
  }
  void remove_watch(int number) noexcept {
    const std::scoped_lock lock(mutex_);
    const auto saved = by_signal_.find(number);
    if (--saved->second.num_watches > 0) return;
    sigaction(number, &saved->second.before, nullptr);
    by_signal_.erase(saved);
  }

 private:
  struct Saved {
    int num_watches = 0;
    struct sigaction before{};
  };
  std::mutex mutex_;
  std::map<int, Saved> by_signal_;
};

Saved_dispositions& saved_dispositions() {
  static Saved_dispositions saved;
  return saved;
}

/// Keeps the disposition of a signal while it lives.
class Watched_signal {
 public:
  explicit Watched_signal(int number) : number_(number) { saved_dispositions().add_watch(number); }
  Watched_signal(const Watched_signal&) = delete;
  Watched_signal& operator=(const Watched_signal&) = delete;
  ~Watched_signal() { saved_dispositions().remove_watch(number_); }

 private:
  const int number_;
};

class Uv_signal_watch final : public Backend::Signal_watch {
 public:
  Uv_signal_watch(uv_loop_t& loop, int number, std::function<void()> f)
      : f_(std::move(f)),
        watched_(number),
        handle_(make_handle<uv_signal_t>(this, "watch a signal",
                                         [&](auto* uv) { return uv_signal_init(&loop, uv); })) {
    check_uv(uv_signal_start(&handle_->uv, received, number), "watch a signal");
    uv_unref(reinterpret_cast<uv_handle_t*>(&handle_->uv));
  }

 private:
  static void received(uv_signal_t* uv, int) {
    Handle<uv_signal_t>::owner_of<Uv_signal_watch>(uv).f_();
  }

  const std::function<void()> f_;
  const Watched_signal watched_;  // goes after `handle_`, with which libuv stops watching
  const Handle_ptr<uv_signal_t> handle_;
};

}  // namespace

void check_uv(int result, const char* doing) {
  if (result < 0) throw Io_error(std::error_code(result, io_category()), doing);
}

Uv_backend::Loop::Loop() {
  check_that_descriptors_are_left();
  check_uv(uv_loop_init(&uv), "start the event loop");
}

Uv_backend::Loop::~Loop() {
  uv_run(&uv, UV_RUN_DEFAULT);  // until all that is closing has been closed
  uv_loop_close(&uv);
}

Uv_backend::Uv_backend()
    : poll_handles_(loop_.uv),
      time_(Ref<Time_state>::adopt(new Wall_clock_state)),
      wake_up_(make_handle<uv_async_t>(
          this, "start the event loop",
          [&](uv_async_t* uv) { return uv_async_init(&loop_.uv, uv, nullptr); })),
      timer_(make_handle<uv_timer_t>(this, "start the event loop",
                                     [&](uv_timer_t* uv) { return uv_timer_init(&loop_.uv, uv); })),
      threads_(max_num_threads) {}

Ref<Environment> Uv_backend::environment() {
  std::random_device chance;
  auto environment = Ref<Environment>::adopt(new Environment);
  environment->time_source = time_;
  environment->random = Ref<Random_state>::adopt(
      new Random_state(static_cast<std::uint64_t>(chance()) << 32 | chance()));
  environment->network = Ref<Uv_network>::adopt(new Uv_network(poll_handles_));
  return environment;
}

void Uv_backend::wait(std::optional<Time_ns> until) {
  if (until != armed_) {
    armed_ = until;
    if (until) {
      using std::chrono::milliseconds;
      const auto left = std::chrono::ceil<milliseconds>(*until - time_->read());
      uv_update_time(&loop_.uv);
      uv_timer_start(
          &timer_->uv,
          [](uv_timer_t* uv) {
            Handle<uv_timer_t>::owner_of<Uv_backend>(uv).armed_.reset();
            // This may be before the loop waits, and then it must not.
            uv_stop(uv->loop);
          },
          static_cast<std::uint64_t>(std::max(left, milliseconds(0)).count()), 0);
    } else {
      uv_timer_stop(&timer_->uv);
    }
  }
  uv_run(&loop_.uv, UV_RUN_ONCE);
}

void Uv_backend::poll() { uv_run(&loop_.uv, UV_RUN_NOWAIT); }

void Uv_backend::wake() noexcept { uv_async_send(&wake_up_->uv); }

void Uv_backend::run_in_thread(std::move_only_function<void()> work) {
  threads_.run(std::move(work));
}

std::unique_ptr<Backend::Signal_watch> Uv_backend::watch_signal(int number,
                                                                std::function<void()> f) {
  return std::make_unique<Uv_signal_watch>(loop_.uv, number, std::move(f));
}

}  // namespace async::internal
