// A transport over a socket of the system: what its user may do while it is told something.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/io/network.h"
#include "async/io/transport.h"

namespace async {
namespace {

/// Reads a byte, and then has the transport destroyed in the cycle in which it is told; or does so
/// at once, when it can write.
class Destroys_its_transport final : public Transport::User {
 public:
  Destroys_its_transport(std::unique_ptr<Transport> transport, bool when_writable)
      : transport_(std::move(transport)) {
    transport_->set_user(this);
    transport_->want_readable(true);
    transport_->want_writable(when_writable);
  }

  Deferred<> destroyed() const { return destroyed_.read(); }

  void readable() noexcept override {
    std::string byte(1, ' ');
    EXPECT_EQ(transport_->read(byte).bytes, 1U);
    Scheduler::schedule([this, transport = std::move(transport_)]() mutable {
      transport = nullptr;
      destroyed_.fill();
    });
  }
  void writable() noexcept override {
    transport_ = nullptr;
    destroyed_.fill();
  }
  void run_in_turn() noexcept override {}

 private:
  std::unique_ptr<Transport> transport_;
  const Ivar<> destroyed_;
};

TEST(A_transport, may_be_destroyed_while_it_tells_what_is_possible) {
  for (const bool when_writable : {false, true}) {
    Scheduler::go([when_writable]() -> Deferred<> {
      std::array<int, 2> ends{};
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
      auto transport = Network::current().adopt_connection(ends[0], Network::Domain::Unix);
      const auto user = internal::Ref<Destroys_its_transport>::adopt(
          new Destroys_its_transport(std::move(transport.value()), when_writable));
      EXPECT_EQ(write(ends[1], "ab", 2), 2);
      co_await user->destroyed();
      EXPECT_EQ(write(ends[1], "c", 1), -1);  // nobody is there
      close(ends[1]);
    });
  }
}

}  // namespace
}  // namespace async
