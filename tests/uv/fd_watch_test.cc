// Fd_watch: what is told of a descriptor, and when.

#include "async/uv/fd_watch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <optional>
#include <string>

namespace async {
namespace {

/// One end of a pair of sockets, watched.
class Watched_socket final : internal::Fd_watch {
 public:
  Watched_socket() {
    EXPECT_EQ(uv_loop_init(&loop_), 0);
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    handles_.emplace(loop_);
    EXPECT_EQ(start(*handles_, ends_[0]), 0);
  }
  ~Watched_socket() {
    stop();
    handles_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }

  using Fd_watch::stop;
  using Fd_watch::want_readable;
  using Fd_watch::want_writable;

  /// `turn()` is what is told in one turn of the loop.
  std::string turn() {
    told_.clear();
    uv_run(&loop_, UV_RUN_NOWAIT);
    return told_;
  }
  /// `wakes_the_loop()` is whether the loop would not wait now.
  bool wakes_the_loop() {
    pollfd loop{.fd = uv_backend_fd(&loop_), .events = POLLIN, .revents = 0};
    return poll(&loop, 1, 0) == 1;
  }
  void arrive() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  /// The other end closes before it has read what was sent to it, which is an error.
  void be_reset() {
    EXPECT_EQ(write(ends_[0], "x", 1), 1);
    close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  void ready(bool readable, bool writable) noexcept override {
    told_ += std::string(readable ? "r" : "") + (writable ? "w" : "") + " ";
  }

  uv_loop_t loop_{};
  std::optional<internal::Poll_handles> handles_;
  std::array<int, 2> ends_{};
  std::string told_;
};

TEST(Fd_watch, tells_in_each_turn_what_is_wanted_and_possible) {
  Watched_socket socket;
  EXPECT_EQ(socket.turn(), "");
  socket.want_readable(true);
  EXPECT_EQ(socket.turn(), "");
  socket.arrive();
  EXPECT_EQ(socket.turn(), "r ");
  socket.want_writable(true);
  EXPECT_EQ(socket.turn(), "rw ");
  socket.want_readable(false);
  EXPECT_EQ(socket.turn(), "w ");
}

TEST(Fd_watch, tells_nothing_that_is_not_wanted_any_more_until_it_is_wanted_again) {
  Watched_socket socket;
  socket.want_readable(true);
  socket.turn();
  for (int i = 0; i < 3; ++i) {
    socket.want_readable(false);
    socket.arrive();
    EXPECT_EQ(socket.turn(), "");
    EXPECT_EQ(socket.turn(), "");
    socket.want_readable(true);
    EXPECT_EQ(socket.turn(), "r ");
  }
  socket.want_readable(false);
  socket.want_readable(true);
  EXPECT_EQ(socket.turn(), "r ");
}

TEST(Fd_watch, ceases_to_wake_the_loop_for_what_nobody_wants) {
  Watched_socket socket;
  socket.want_readable(true);
  socket.turn();
  socket.want_readable(false);
  socket.arrive();
  int turns = 0;
  for (; socket.wakes_the_loop() && turns < 100; ++turns) EXPECT_EQ(socket.turn(), "");
  EXPECT_EQ(turns, 8);
  // Whoever wants it again soon is waited for anew.
  socket.want_readable(true);
  EXPECT_EQ(socket.turn(), "r ");
  socket.want_readable(false);
  EXPECT_EQ(socket.turn(), "");
  EXPECT_TRUE(socket.wakes_the_loop());
}

TEST(Fd_watch, tells_of_an_error_whoever_wants_anything) {
  Watched_socket reads;
  reads.want_readable(true);
  reads.be_reset();
  EXPECT_EQ(reads.turn(), "rw ");
  EXPECT_EQ(reads.turn(), "rw ");

  Watched_socket wants_nothing_any_more;
  wants_nothing_any_more.want_readable(true);
  wants_nothing_any_more.turn();
  wants_nothing_any_more.want_readable(false);
  wants_nothing_any_more.be_reset();
  EXPECT_EQ(wants_nothing_any_more.turn(), "");
  EXPECT_EQ(wants_nothing_any_more.turn(), "");
}

TEST(Fd_watch, tells_nothing_after_its_end) {
  Watched_socket socket;
  socket.want_readable(true);
  socket.want_writable(true);
  socket.arrive();
  socket.stop();
  EXPECT_EQ(socket.turn(), "");
  socket.want_readable(true);
  EXPECT_EQ(socket.turn(), "");
}

}  // namespace
}  // namespace async
