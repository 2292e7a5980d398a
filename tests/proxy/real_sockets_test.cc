// Proxies on real sockets: what ends at once must not be used any more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/proxy/proxies.h"
#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

Deferred<Tcp::Server::Inet> serving(Script script) {
  return Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                             [script](const Address::Inet&, Reader reader, Writer writer) {
                               return script(std::move(reader), std::move(writer));
                             });
}

TEST(Proxies_on_real_sockets, lead_to_a_server) {
  Scheduler::go([]() -> Deferred<> {
    const auto asked = no_requests();
    const auto far = co_await serving(
        [](Reader reader, Writer writer) { return echo(std::move(reader), std::move(writer)); });
    const auto first = co_await serving(socks5_proxy(asked));
    const auto second = co_await serving(http_proxy(asked));
    const auto route = Tcp::Proxy::http_connect(at(second), {.via = Tcp::Proxy::socks5(at(first))});
    const std::string much(3'000'000, 'x');
    const std::string back = co_await Tcp::with_connection(
        at(far), {.via = route}, [&](auto, Reader reader, Writer writer) -> Deferred<std::string> {
          writer.write(much);
          writer.shutdown_send();
          co_return co_await reader.contents();
        });
    EXPECT_EQ(back, much);
    EXPECT_EQ(asked->size(), 2U);
    for (const auto& server : {second, first, far}) co_await end(server);
  });
}

TEST(Proxies_on_real_sockets, leave_nothing_behind_however_it_ends) {
  Scheduler::go([] { return determined(); });  // what libuv keeps for the process is there then
  const int before = num_descriptors();
  Scheduler::go([]() -> Deferred<> {
    for (const std::string& answer :
         {"HTTP/1.1 200 OK\r\n\r\n"s, "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'),
          "HTTP/1.1 403 No\r\n\r\n"s, "HTTP/1.1 200 OK\r\n"s, "nonsense\n"s, ""s}) {
      const auto server = co_await serving(answering({{1, answer}}));
      const auto connecting = [&server] {
        return or_error(Tcp::connect(Tcp::to_host_and_port("far.away", 7),
                                     {.via = Tcp::Proxy::http_connect(at(server))}));
      };
      // One that nobody waits for is let go in the very job in which it is made.
      static_cast<void>(connecting());
      {
        const auto connected = co_await connecting();
        EXPECT_EQ(connected.has_value(), answer.starts_with("HTTP/1.1 200 OK\r\n\r\n"));
        if (connected) static_cast<void>(connected->socket.abort());
      }
      co_await end(server);
    }
  });
  EXPECT_EQ(num_descriptors(), before);
}

TEST(Proxies_on_real_sockets, may_announce_their_clients) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        {.proxy_protocol =
             Tcp::Proxy_protocol::accept({.trusted = {Cidr::of_string("127.0.0.1")}})},
        [](const Address::Inet& from, Reader, Writer writer) {
          writer.write_line(to_string(from));
          return determined();
        });
    const Tcp::Proxy_protocol::Ends ends = {
        .source = Address::Inet::of_string("192.0.2.1:1234"),
        .destination = Address::Inet::of_string("198.51.100.2:80")};
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(co_await async::ask(at(server), "?",
                                    {.via = Tcp::Proxy_protocol::send({.client = ends})}),
                "192.0.2.1:1234");
    }
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
