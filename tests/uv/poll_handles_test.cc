// Poll_handles: handles that are used again.

#include "async/uv/poll_handles.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>

namespace async {
namespace {

using internal::Poll_handle;
using internal::Poll_handles;

class Poll_handles_test : public testing::Test {
 protected:
  Poll_handles_test() {
    EXPECT_EQ(uv_loop_init(&loop_), 0);
    handles_.emplace(loop_);
  }
  ~Poll_handles_test() override {
    handles_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  Poll_handle take(int fd) {
    auto handle = handles_->take(fd, this);
    EXPECT_TRUE(handle);
    return handle ? std::move(*handle) : nullptr;
  }

  /// `start(handle)` has it count in `num_told_` in which turns something can be read.
  void start(Poll_handle& handle) {
    EXPECT_EQ(
        uv_poll_start(&handle->uv, UV_READABLE,
                      [](uv_poll_t* uv, int, int) {
                        ++internal::Handle<uv_poll_t>::owner_of<Poll_handles_test>(uv).num_told_;
                      }),
        0);
  }
  void turn() { uv_run(&loop_, UV_RUN_NOWAIT); }
  /// `num_handles()` is how many libuv has, but for those that it is to forget.
  int num_handles() {
    int result = 0;
    const auto count = [](uv_handle_t* uv, void* n) {
      if (uv_is_closing(uv) == 0) ++*static_cast<int*>(n);
    };
    uv_walk(&loop_, count, &result);
    return result;
  }

  uv_loop_t loop_{};
  std::optional<Poll_handles> handles_;
  int num_told_ = 0;
};

/// Two connected sockets, the first of them with a number that can be asked for.
struct Pair {
  explicit Pair(int number = -1) {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    if (number < 0 || fds[0] == number) return;
    EXPECT_EQ(dup2(fds[0], number), number);
    close(std::exchange(fds[0], number));
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    close(fds[0]);
    close(fds[1]);
  }
  void arrive() const { EXPECT_EQ(write(fds[1], "x", 1), 1); }

  std::array<int, 2> fds{};
};

TEST_F(Poll_handles_test, a_handle_is_used_again_for_the_next_descriptor_of_its_number) {
  int number = -1;
  const void* first_handle = nullptr;
  {
    const Pair first;
    number = first.fds[0];
    Poll_handle handle = take(number);
    first_handle = handle.get();
    start(handle);
    turn();
    first.arrive();
    handles_->give_back(std::move(handle));
    turn();
    EXPECT_EQ(num_told_, 0);
  }
  const Pair second(number);
  Poll_handle handle = take(number);
  EXPECT_EQ(handle.get(), first_handle);
  start(handle);
  turn();
  EXPECT_EQ(num_told_, 0);
  second.arrive();
  turn();
  EXPECT_EQ(num_told_, 1);
  handles_->give_back(std::move(handle));
}

TEST_F(Poll_handles_test, a_handle_that_is_not_given_back_is_not_given_out_twice) {
  const Pair pair;
  Poll_handle one = take(pair.fds[0]);
  Poll_handle other = take(pair.fds[0]);
  EXPECT_NE(one.get(), other.get());
  handles_->give_back(std::move(one));
  EXPECT_EQ(num_handles(), 2);
  handles_->give_back(std::move(other));  // more than are needed
  EXPECT_EQ(num_handles(), 1);
}

TEST_F(Poll_handles_test, a_descriptor_that_is_watched_is_refused) {
  const Pair pair;
  Poll_handle handle = take(pair.fds[0]);
  start(handle);
  const auto second = handles_->take(pair.fds[0], this);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), UV_EEXIST);
  handles_->give_back(std::move(handle));
}

TEST_F(Poll_handles_test, what_cannot_be_watched_is_refused) {
  const auto none = handles_->take(-1, this);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), UV_EBADF);
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  const auto of_a_file = handles_->take(file, this);
  ASSERT_FALSE(of_a_file);
  EXPECT_EQ(of_a_file.error(), UV_EPERM);
  close(file);
}

TEST_F(Poll_handles_test, of_a_large_number_no_handle_is_kept) {
  const Pair pair(5000);
  Poll_handle handle = take(5000);
  start(handle);
  pair.arrive();
  turn();
  EXPECT_EQ(num_told_, 1);
  handles_->give_back(std::move(handle));
  EXPECT_EQ(num_handles(), 0);
  turn();
  EXPECT_EQ(num_told_, 1);
}

}  // namespace
}  // namespace async
