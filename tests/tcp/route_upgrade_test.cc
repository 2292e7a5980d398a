// The seams of connecting: .via, a way to the peer, and .tls, what is made of a connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

/// Another transport, with every bit of every byte turned.
class Turned_transport final : public Transport {
 public:
  explicit Turned_transport(std::unique_ptr<Transport> inner) : inner_(std::move(inner)) {}

  void set_user(User* user) noexcept override { inner_->set_user(user); }
  void want_readable(bool wanted) noexcept override { inner_->want_readable(wanted); }
  void want_writable(bool wanted) noexcept override { inner_->want_writable(wanted); }
  Io_result read(std::span<char> into) noexcept override {
    const Io_result result = inner_->read(into);
    for (char& c : into.first(result.bytes)) c = static_cast<char>(~c);
    return result;
  }
  Io_result write(std::span<const std::string_view> parts) noexcept override {
    std::string bytes;
    for (const std::string_view part : parts) bytes += part;
    for (char& c : bytes) c = static_cast<char>(~c);
    const std::string_view all = bytes;
    return inner_->write({&all, 1});
  }
  std::error_code shutdown_send() noexcept override { return inner_->shutdown_send(); }
  std::size_t unacknowledged() const noexcept override { return inner_->unacknowledged(); }
  void close(How how) noexcept override { inner_->close(how); }
  std::expected<Address::Any, std::error_code> local_address() const override {
    return inner_->local_address();
  }
  std::expected<Address::Any, std::error_code> remote_address() const override {
    return inner_->remote_address();
  }
  std::error_code set_option(int level, int name, std::span<const std::byte> value) override {
    return inner_->set_option(level, name, value);
  }
  std::expected<std::size_t, std::error_code> get_option(int level, int name,
                                                         std::span<std::byte> into) const override {
    return inner_->get_option(level, name, into);
  }
  int fd() const noexcept override { return inner_->fd(); }

 private:
  const std::unique_ptr<Transport> inner_;
};

/// Turns every bit, after `delay`.
class Turn final : public Tcp::Upgrade {
 public:
  explicit Turn(Span delay = {}) : delay_(delay) {}

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                               std::string peer,
                                               const Tcp::Stop& stop) const override {
    peers_->push_back(peer);
    const auto waited = co_await stop.wait(Clock::after(delay_));
    if (!waited) throw std::runtime_error("the handshake was stopped");
    co_return std::make_unique<Turned_transport>(std::move(transport));
  }

  const std::vector<std::string>& peers() const { return *peers_; }

 private:
  const Span delay_;
  const std::shared_ptr<std::vector<std::string>> peers_ =
      std::make_shared<std::vector<std::string>>();
};

class Broken_upgrade final : public Tcp::Upgrade {
 public:
  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport>, std::string,
                                               const Tcp::Stop&) const override {
    throw std::runtime_error("no such protocol");
  }
};

/// Makes nothing, and says nothing.
class Empty_upgrade final : public Tcp::Upgrade {
 public:
  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport>, std::string,
                                               const Tcp::Stop&) const override {
    co_return nullptr;
  }
};

/// Goes to `proxy` for whatever is asked for.
class By_way_of final : public Tcp::Route {
 public:
  explicit By_way_of(Tcp::Target proxy) : proxy_(std::move(proxy)) {}

  Deferred<std::unique_ptr<Transport>> reach(Tcp::Target target, const Connect& connect,
                                             const Tcp::Stop&) const override {
    asked_->push_back(to_string(target));
    return connect(proxy_);
  }

  const std::vector<std::string>& asked() const { return *asked_; }

 private:
  const Tcp::Target proxy_;
  const std::shared_ptr<std::vector<std::string>> asked_ =
      std::make_shared<std::vector<std::string>>();
};

class Refusing_route final : public Tcp::Route {
 public:
  Deferred<std::unique_ptr<Transport>> reach(Tcp::Target, const Connect&,
                                             const Tcp::Stop& stop) const override {
    static_cast<void>(co_await stop.wait(Clock::after(1s)));
    throw std::runtime_error("the proxy wants a password");
  }
};

Deferred<Tcp::Server::Inet> turned_server(std::shared_ptr<const Tcp::Upgrade> upgrade,
                                          Span timeout = 30s) {
  return Tcp::Server::create(Tcp::on_port(7), {.tls = std::move(upgrade), .tls_timeout = timeout},
                             echo_handler);
}

const auto where = [] { return Tcp::to_host_and_port("localhost", 7); };

TEST(Upgrade, is_made_on_both_sides) {
  Simulation().run([]() -> Deferred<> {
    const auto upgrade = std::make_shared<const Turn>(1s);
    const auto theirs = std::make_shared<const Turn>(1s);
    const auto server = co_await turned_server(theirs);
    EXPECT_EQ(co_await ask(where(), "hello", {.tls = upgrade}), "hello");
    EXPECT_THAT(upgrade->peers(), ElementsAre("localhost:7"));
    EXPECT_THAT(theirs->peers(), ElementsAre(HasSubstr("[::1]:")));
    // One that speaks plainly is not understood.
    const auto plain = co_await Tcp::connect(where());
    co_await Clock::after(2s);
    plain.writer.write("\xff");
    EXPECT_EQ(co_await plain.reader.read(), "\xff");
    EXPECT_EQ(server.counts().upgrade_errors, 0U);
  });
}

TEST(Upgrade, that_fails_is_an_error_of_connecting) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const auto error = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(where(), {.tls = std::make_shared<const Broken_upgrade>()}));
    EXPECT_EQ(error->kind(), Kind::Tls);
    EXPECT_STREQ(error->what(), "cannot connect to localhost:7: no such protocol");
    co_await Clock::after(1s);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Upgrade, is_under_the_timeout_and_the_interrupt_of_connecting) {
  Simulation simulation;
  simulation.set_name("slow", {Inet_addr::localhost()}, {.delay = 2s});
  simulation.run([]() -> Deferred<> {
    co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const auto slow = Tcp::to_host_and_port("slow", 7);
    const auto upgrade = std::make_shared<const Turn>(10s);
    const Time_ns start = Clock::now();
    const auto late =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(slow, {.timeout = 5s, .tls = upgrade}));
    EXPECT_EQ(late->kind(), Kind::Timed_out);
    EXPECT_EQ(Clock::now(), start + 5s);
    const auto interrupted = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(slow, {.interrupt = Clock::after(4s), .tls = upgrade}));
    EXPECT_EQ(interrupted->kind(), Kind::Interrupted);
    EXPECT_EQ(Clock::now(), start + 9s);
    const auto socket = co_await Tcp::connect_sock(slow, {.timeout = 15s, .tls = upgrade});
    EXPECT_EQ(Clock::now(), start + 21s);
    co_await socket.abort();
  });
}

TEST(Upgrade, that_fails_in_a_server_is_counted_and_no_handler_sees_it) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await turned_server(std::make_shared<const Broken_upgrade>());
    for (int i = 0; i < 3; ++i) EXPECT_THAT(co_await ask(where(), "x"), HasSubstr("eof"));
    EXPECT_EQ(server.counts().upgrade_errors, 3U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_FALSE(server.is_closed());
  });
}

TEST(Upgrade, in_a_server_has_a_timeout_and_ends_when_the_server_is_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await turned_server(std::make_shared<const Turn>(1h), 5s);
    const Time_ns start = Clock::now();
    EXPECT_THAT(co_await ask(where(), "x"), HasSubstr("eof"));
    EXPECT_LT(Clock::now() - start, 6s);
    EXPECT_EQ(server.counts().upgrade_errors, 1U);
    const auto connected = co_await Tcp::connect(where());
    co_await Clock::after(1s);
    EXPECT_EQ(server.num_connections(), 1);
    co_await server.close();
    EXPECT_FALSE(co_await connected.reader.read());
    co_await server.close_finished_and_handlers_determined();
    server.invariant();
  });
}

TEST(Upgrade, that_makes_nothing_is_an_error_on_both_sides) {
  Simulation().run([]() -> Deferred<> {
    const auto empty = std::make_shared<const Empty_upgrade>();
    const auto server = co_await turned_server(empty);
    EXPECT_THAT(co_await ask(where(), "x"), HasSubstr("eof"));
    EXPECT_EQ(server.counts().upgrade_errors, 1U);
    const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(where(), {.tls = empty}));
    EXPECT_EQ(error->kind(), Kind::Tls);
  });
}

TEST(Route, reaches_the_peer_by_way_of_another_one) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(proxy, 1080);
    const auto route = std::make_shared<const By_way_of>(Tcp::Host_and_port{"proxy", 1080});
    const auto to = Tcp::to_host_and_port("far.away", 7);  // which nobody here can look up
    EXPECT_EQ(co_await ask(to, "hello", {.via = route}), "hello");
    const auto address = Address::Inet::of_string("203.0.113.1:7");
    const auto socket = co_await Tcp::connect_sock(Tcp::to_inet_address(address), {.via = route});
    EXPECT_EQ(socket.getpeername(), address);  // and not that of the proxy
    EXPECT_THAT(route->asked(), ElementsAre("far.away:7", "203.0.113.1:7"));
    co_await socket.abort();
  });
}

TEST(Route, that_fails_is_an_error_of_connecting) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const auto refusing = std::make_shared<const Refusing_route>();
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(where(), {.via = refusing}));
    EXPECT_EQ(error->kind(), Kind::Proxy);
    EXPECT_STREQ(error->what(), "cannot connect to localhost:7: the proxy wants a password");
    const auto late = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(where(), {.timeout = 500ms, .via = refusing}));
    EXPECT_EQ(late->kind(), Kind::Timed_out);
    const auto interrupted = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(where(), {.interrupt = determined(), .via = refusing}));
    EXPECT_EQ(interrupted->kind(), Kind::Interrupted);
  });
}

TEST(Route, and_upgrade_go_together) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    const auto upgrade = std::make_shared<const Turn>();
    co_await proxy.within([] { return turned_server(std::make_shared<const Turn>()); });
    const auto route = std::make_shared<const By_way_of>(Tcp::Host_and_port{"proxy", 7});
    EXPECT_EQ(
        co_await ask(Tcp::to_host_and_port("peer", 443), "hello", {.via = route, .tls = upgrade}),
        "hello");
    EXPECT_THAT(upgrade->peers(), ElementsAre("peer:443"));  // the name that was asked for
  });
}

}  // namespace
}  // namespace async
