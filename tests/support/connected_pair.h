// tests/support/connected_pair.h: both ends of a connection, for tests of readers and writers.

#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "async/coroutine.h"
#include "async/deferred.h"
#include "async/io/network.h"
#include "async/read_result.h"
#include "async/testing/simulation.h"
#include "reader_writer/reader.h"
#include "reader_writer/writer.h"

namespace async {

inline const std::unexpected clean_eof(Eof{Eof::Reason::Clean});
inline const std::unexpected reset_eof(Eof{Eof::Reason::Reset});
inline const std::unexpected timed_out_eof(Eof{Eof::Reason::Timed_out});
inline const std::unexpected closed_eof(Eof{Eof::Reason::Closed});

/// One end of a connection.  It holds three handles.
struct End {
  explicit End(const internal::Connection_handle& c) : connection(c), reader(c), writer(c) {}
  End(std::unique_ptr<Transport> transport, Address::Any remote, Connection_limits limits)
      : End(internal::Connection_handle(internal::Ref<internal::Connection>::share(
            new internal::Connection(std::move(transport), std::move(remote), limits)))) {}

  internal::Connection_handle connection;
  Reader reader;
  Writer writer;
};

struct Ends {
  End here;
  End there;
};

struct Pair_options {
  /// Of the end here.
  Connection_limits limits = {};
  /// Where the other end is; nothing for the same machine, to which nothing takes time.
  std::optional<testing::Host> other = std::nullopt;
};

/// `connected_pair(options)` is determined with two ends, for which the monitor is the current one.
inline Deferred<Ends> connected_pair(Pair_options options = {}) {
  std::unique_ptr<Listener> listener;
  const auto listen = [&options, &listener] {
    const auto socket = Network::current().create_socket(Network::Family::V4).value();
    const Inet_addr addr = options.other ? options.other->addrs().at(0) : Inet_addr::localhost();
    static_cast<void>(socket->bind(Address::Inet(addr, 0)));
    listener = socket->listen(1).value();
  };
  if (options.other) {
    options.other->within(listen);
  } else {
    listen();
  }
  const Address::Any address = listener->local_address().value();
  const auto socket = Network::current().create_socket(Network::Family::V4).value();
  const std::error_code error = co_await socket->connect(address);
  if (error) throw std::system_error(error);
  auto accepted = listener->accept().value();
  co_return Ends{.here = End(socket->take_transport().value(), address, options.limits),
                 .there = End(std::move(accepted.transport), accepted.from, {})};
}

}  // namespace async
