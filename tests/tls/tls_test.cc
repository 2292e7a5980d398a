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

TEST(Tls, carries_megabytes_both_ways) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options());
    std::string sent;
    for (int i = 0; i < 3'000'000; ++i) sent += static_cast<char>(i * 7 + i / 1000);
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

TEST(Tls, that_ends_with_its_last_bytes_is_seen_to_end_while_the_connection_goes_on) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.host.within([tls = Tls::server(server_options())] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = tls},
                                 [](Address::Inet, Reader, Writer writer) -> Deferred<> {
                                   writer.write("all there is");
                                   co_return;
                                 });
    });
    // It passes on what the server says once that is complete, and not that it then hangs up.
    const auto between = co_await world.simulation.host("between").within([] {
      return Tcp::Server::create(
          Tcp::on_port(443), [](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
            co_await Tcp::with_connection(there(),
                                          [&](auto, Reader far, Writer far_writer) -> Deferred<> {
                                            const auto to_server = far_writer.splice(reader);
                                            const auto hello = co_await far.read();
                                            EXPECT_TRUE(hello);
                                            if (hello) writer.write(*hello);
                                            writer.write(co_await far.contents());
                                            co_await writer.flushed();
                                            co_await writer.close_finished();
                                          });
          });
    });
    for (const auto version : {Tls::Version::Tls_1_2, Tls::Version::Tls_1_3}) {
      const auto tls = tls_client({.verified_name = "server", .max_version = version});
      const auto contents =
          Tcp::with_connection(Tcp::to_host_and_port("between", 443), {.tls = tls},
                               [](auto, Reader reader, Writer) { return reader.contents(); });
      EXPECT_EQ(co_await Clock::with_timeout(10s, contents), "all there is");
    }
    static_cast<void>(between);
    co_await server.close();
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
