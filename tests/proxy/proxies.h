// tests/proxy/proxies.h: proxies for tests, some that work and some that do as a test says.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/proxy/proxy.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {

/// What a scripted proxy does with each connection.
using Script = std::function<Deferred<>(Reader, Writer)>;

/// `scripted(host, port, script)` is a server for whose clients `script` is called.
inline Deferred<Tcp::Server::Inet> scripted(const testing::Host& host, int port, Script script) {
  return host.within([port, &script] {
    return Tcp::Server::create(
        Tcp::on_port(port),
        [script = std::move(script)](const Address::Inet&, Reader reader, Writer writer) {
          return script(std::move(reader), std::move(writer));
        });
  });
}

/// One thing that a proxy waits for, and what it says then.
struct Exchange {
  std::size_t bytes;  // how many it reads first
  std::string answer;
};

struct Answering_options {
  /// How long it waits before each byte of an answer; nothing for all bytes at once.
  Span between_bytes = {};
  /// Whether it hangs up after the last answer; else it goes on reading.
  bool hangs_up = true;
  /// What it was sent, as far as it has read it.
  std::shared_ptr<std::string> heard = std::make_shared<std::string>();
};

/// `answering(exchanges, options)` says what it was told to, whatever it is asked.
inline Script answering(std::vector<Exchange> exchanges, Answering_options options = {}) {
  return [=](Reader reader, Writer writer) -> Deferred<> {
    for (const Exchange& one : exchanges) {
      const auto read = co_await reader.really_read(one.bytes);
      if (!read) co_return;
      *options.heard += *read;
      if (options.between_bytes == Span()) {
        writer.write(one.answer);
        continue;
      }
      for (const char byte : one.answer) {
        co_await Clock::after(options.between_bytes);
        writer.write(std::string_view(&byte, 1));
        co_await writer.flushed();
      }
    }
    if (options.hangs_up) co_return;
    while (const auto more = co_await reader.read()) *options.heard += *more;
  };
}

/// Passes bytes on between a client and `to`, until both are done.
inline Deferred<> pass_on_both_ways(Tcp::Where_to_connect<Address::Inet> to, Reader reader,
                                    Writer writer, std::string confirmation) {
  co_await Tcp::with_connection(to, [=](auto, Reader far_reader, Writer far_writer) -> Deferred<> {
    writer.write(confirmation);
    const auto pass_on = [](Reader from, Writer into) -> Deferred<> {
      if (co_await into.splice(from) == Flush_result::Flushed) into.shutdown_send();
    };
    far_writer.set_raise_when_consumer_leaves(false);
    co_await all_unit({pass_on(reader, far_writer), pass_on(far_reader, writer)});
  });
}

/// `socks5_proxy(asked)` is the script of a SOCKS5 proxy that works.  Whom it was asked for is
/// added to `asked`.
inline Script socks5_proxy(std::shared_ptr<std::vector<std::string>> asked) {
  return [asked](Reader reader, Writer writer) -> Deferred<> {
    const auto greeting = co_await reader.really_read(2);
    static_cast<void>(co_await reader.really_read(static_cast<std::size_t>((*greeting)[1])));
    writer.write(std::string("\x05\x00", 2));
    const auto request = co_await reader.really_read(4);
    const auto byte = [](const std::string& bytes, std::size_t i) {
      return static_cast<unsigned char>(bytes[i]);
    };
    std::string host;
    if ((*request)[3] == 3) {
      const auto size = co_await reader.really_read(1);
      host = *co_await reader.really_read(byte(*size, 0));
    } else if ((*request)[3] == 1) {
      const auto bytes = co_await reader.really_read(4);
      host = to_string(
          Inet_addr::v4({byte(*bytes, 0), byte(*bytes, 1), byte(*bytes, 2), byte(*bytes, 3)}));
    } else {
      const auto bytes = co_await reader.really_read(16);
      Inet_addr::V6_bytes all{};
      for (std::size_t i = 0; i < 16; ++i) all[i] = byte(*bytes, i);
      host = to_string(Inet_addr::v6(all));
    }
    const auto port = co_await reader.really_read(2);
    const int number = byte(*port, 0) << 8 | byte(*port, 1);
    asked->push_back(host + " " + std::to_string(number));
    co_await pass_on_both_ways(Tcp::to_host_and_port(host, number), reader, writer,
                               std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10));
  };
}

/// `http_proxy(asked)` is that of an HTTP proxy; it adds the lines of requests to `asked`.
inline Script http_proxy(std::shared_ptr<std::vector<std::string>> asked) {
  return [asked](Reader reader, Writer writer) -> Deferred<> {
    const auto request = co_await reader.read_line();
    if (!request) co_return;
    asked->push_back(*request);
    for (auto line = co_await reader.read_line(); line && *line != "";) {
      line = co_await reader.read_line();
    }
    const std::string authority = request->substr(8, request->rfind(' ') - 8);
    const auto colon = authority.rfind(':');
    std::string host = authority.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    co_await pass_on_both_ways(Tcp::to_host_and_port(host, std::stoi(authority.substr(colon + 1))),
                               reader, writer,
                               "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
  };
}

inline std::shared_ptr<std::vector<std::string>> no_requests() {
  return std::make_shared<std::vector<std::string>>();
}

/// `connect_by(route)` is how connecting to far.away:7 by `route` fails.
inline Deferred<Tcp::Connect_error> error_by(std::shared_ptr<const Tcp::Route> route,
                                             Tcp::Connect_options options = {}) {
  options.via = std::move(route);
  const auto error = co_await error_of<Tcp::Connect_error>(
      Tcp::connect(Tcp::to_host_and_port("far.away", 7), std::move(options)));
  co_return error.value();
}

}  // namespace async
