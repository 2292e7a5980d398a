// TLS over simulated connections: that it works, and what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Kind = Tls::Error::Kind;

struct World {
  Simulation simulation;
  Host host = simulation.host("server");

  Deferred<Tcp::Server::Inet> serve(Tls::Server_options options) {
    return host.within([tls = Tls::server(std::move(options))] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = tls}, echo_handler);
    });
  }
};

Tcp::Where_to_connect<Address::Inet> there() { return Tcp::to_host_and_port("server", 443); }

TEST(Tls, encrypts_what_is_said) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options());
    EXPECT_EQ(co_await ask(there(), "a secret", {.tls = tls_client()}), "a secret");
    EXPECT_EQ(server.counts().upgrade_errors, 0U);
  });
}

std::string bytes(int n) {
  std::string result;
  for (int i = 0; i < n; ++i) result += static_cast<char>(i * 7 + i / 1000);
  return result;
}

TEST(Tls, carries_megabytes_both_ways) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options());
    const std::string sent = bytes(3'000'000);
    const std::string got = co_await Tcp::with_connection(
        there(), {.tls = tls_client()},
        [&](auto, Reader reader, Writer writer) -> Deferred<std::string> {
          writer.write(sent.substr(0, 100));
          writer.schedule(sent.substr(100));
          writer.shutdown_send();
          co_return co_await reader.contents();
        });
    EXPECT_TRUE(got == sent);
  });
}

/// TLS within TLS, as to a server beyond a proxy that is asked for by TLS.
class Twice final : public Tcp::Upgrade {
 public:
  explicit Twice(std::shared_ptr<const Tcp::Upgrade> once) : once_(std::move(once)) {}

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                               std::string peer,
                                               const Tcp::Stop& stop) const override {
    auto outer = co_await once_->upgrade(std::move(transport), peer, stop);
    co_return co_await once_->upgrade(std::move(outer), peer, stop);
  }

 private:
  const std::shared_ptr<const Tcp::Upgrade> once_;
};

TEST(Tls, goes_through_TLS_as_through_anything_else) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.host.within([] {
      return Tcp::Server::create(Tcp::on_port(443),
                                 {.tls = std::make_shared<Twice>(Tls::server(server_options()))},
                                 echo_handler);
    });
    const std::string sent = bytes(1'000'000);
    const std::string got = co_await Tcp::with_connection(
        there(), {.tls = std::make_shared<Twice>(tls_client())},
        [&](auto, Reader reader, Writer writer) -> Deferred<std::string> {
          for (std::size_t at = 0; at < sent.size(); at += 12'345) {
            writer.schedule(sent.substr(at, 12'345));
          }
          writer.shutdown_send();
          co_return co_await reader.contents();
        });
    EXPECT_TRUE(got == sent);
  });
}

TEST(Tls, refuses_certificates_that_are_not_right) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"other_server", "Hostname mismatch"},
        {"expired", "expired"},
        {"stranger", "unable to get local issuer certificate"},
        {"below_middle", "unable to get local issuer certificate"}};
    for (const auto& [name, why] : wrong) {
      const auto server = co_await world.serve(server_options(name));
      const auto error =
          co_await error_of<Tcp::Connect_error>(Tcp::connect(there(), {.tls = tls_client()}));
      EXPECT_TRUE(error);
      if (error) {
        EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Tls);
        EXPECT_THAT(error->what(), HasSubstr(why));
      }
      co_await server.close();
      co_await server.close_finished_and_handlers_determined();
      EXPECT_EQ(server.counts().upgrade_errors, 1U);
    }
  });
}

TEST(Tls, accepts_a_chain_with_what_is_in_between) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options("chain"));
    EXPECT_EQ(co_await ask(there(), "hello", {.tls = tls_client()}), "hello");
  });
}

TEST(Tls, does_without_a_check_only_where_that_is_said) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options("other_server"));
    const auto any_host = tls_client({.accept_certificate_for_any_host = true});
    EXPECT_EQ(co_await ask(there(), "1", {.tls = any_host}), "1");
    const auto other_name = tls_client({.verified_name = "other"});
    EXPECT_EQ(co_await ask(there(), "2", {.tls = other_name}), "2");
    const auto anybody = Tls::client({.accept_any_certificate_of_anybody = true});
    EXPECT_EQ(co_await ask(there(), "3", {.tls = anybody}), "3");
  });
}

TEST(Tls, that_is_cut_off_is_truncated_and_never_an_end_in_order) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    // A proxy in between that ends what it passes on.
    const auto server = co_await world.serve(server_options());
    const auto cutter = co_await world.simulation.host("cutter").within([] {
      return Tcp::Server::create(
          Tcp::on_port(443), [](Address::Inet, Reader r, Writer w) -> Deferred<> {
            co_await Tcp::with_connection(there(), [&](auto, Reader r2, Writer w2) -> Deferred<> {
              const auto there_and_back = w2.splice(r);
              const auto back = w.splice(r2);
              co_await Clock::after(1s);
              w.shutdown_send();
              co_await Clock::after(1s);
            });
          });
    });
    const auto failure = co_await or_error(Tcp::with_connection(
        Tcp::to_host_and_port("cutter", 443), {.tls = tls_client({.verified_name = "server"})},
        [&](auto, Reader reader, Writer writer) -> Deferred<std::string> {
          writer.write("hello");
          EXPECT_EQ(co_await reader.really_read(5), "hello");
          co_return co_await reader.contents();
        }));
    EXPECT_FALSE(failure);
    if (!failure) {
      const auto* error = failure.error().as<Tls::Error>();
      EXPECT_TRUE(error) << failure.error().what();
      if (error) EXPECT_EQ(error->kind(), Kind::Truncated);
    }
  });
}

// Passes all on; what comes once `holds` is set in one piece, and the end of the connection not at
// all.
Deferred<> pass_on(Reader from, Writer to, const bool* holds) {
  std::string held;
  while (const auto chunk = co_await from.read_chunk()) {
    if (*holds) {
      held += *chunk;
    } else {
      to.write(*chunk);
    }
  }
  if (!held.empty()) to.write(held);
}

TEST(Tls, that_ends_is_seen_to_end_though_the_connection_below_goes_on) {
  Simulation simulation;
  simulation.run([]() -> Deferred<> {
    const Ends client = co_await connected_pair();
    const Ends server = co_await connected_pair();
    server.here.writer.set_raise_when_consumer_leaves(false);
    bool holds = false;
    const bool never_holds = false;
    const auto there = pass_on(client.there.reader, server.here.writer, &never_holds);
    const auto back = pass_on(server.here.reader, client.there.writer, &holds);
    const auto accepted = Tls::start_tls(server.there.writer, Tls::server(server_options()));
    EXPECT_TRUE(co_await Tls::start_tls(client.here.writer, tls_client(), {.peer = "server"}));
    EXPECT_TRUE(co_await accepted);
    // What is sent first has tickets before it.
    server.there.writer.write_line("hello");
    EXPECT_EQ(co_await client.here.reader.read_line(), "hello");
    holds = true;
    server.there.writer.write("goodbye");
    co_await server.there.writer.close();
    // The end arrives with what was said last, and nothing after it.
    EXPECT_EQ(co_await client.here.reader.read(), "goodbye");
    const auto end = co_await Clock::with_timeout(10s, client.here.reader.read());
    EXPECT_TRUE(end) << "it was not seen";
    if (end) EXPECT_EQ(*end, clean_eof);
    co_await client.here.writer.close();
    co_await there;
    co_await back;
  });
}

TEST(Tls, that_a_client_cuts_off_is_its_own_doing_and_does_not_stop_the_server) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.host.within([tls = Tls::server(server_options())] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = tls},
                                 [](Address::Inet, Reader reader, Writer) -> Deferred<> {
                                   static_cast<void>(co_await reader.contents());  // raises
                                 });
    });
    // The transport ends below TLS, which has no chance to say so.
    class Cuts final : public Tcp::Route {
     public:
      Deferred<std::unique_ptr<Transport>> reach(Tcp::Target target, const Connect& connect,
                                                 const Tcp::Stop&) const override {
        return connect(std::move(target)).map([this](std::unique_ptr<Transport> transport) {
          below = transport.get();
          return transport;
        });
      }
      mutable Transport* below = nullptr;
    };
    const auto route = std::make_shared<Cuts>();
    const auto connected = co_await Tcp::connect(there(), {.via = route, .tls = tls_client()});
    connected.writer.write("hello");
    co_await connected.writer.flushed();
    route->below->shutdown_send();
    co_await Clock::after(1s);
    EXPECT_EQ(server.counts().peer_errors, 1U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_FALSE(server.is_closed());
    co_await connected.writer.abort();
  });
}

}  // namespace
}  // namespace async
