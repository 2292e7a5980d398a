#include "tcp/connect.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "async/coroutine.h"
#include "async/internal/keep.h"
#include "async/scheduler.h"
#include "tcp/internal/connecting.h"

namespace async::Tcp {

std::string to_string(const Target& target) {
  return std::visit([](const auto& one) { return to_string(one); }, target);
}

namespace internal {

namespace {

using async::internal::Connection;
using async::internal::Connection_handle;
using async::internal::Ref;

// What to call the other end of a connection whose address is not known.
Address::Any address_of(const Target& target) {
  if (const auto* inet = std::get_if<Address::Inet>(&target)) return *inet;
  if (const auto* file = std::get_if<Address::Unix>(&target)) return *file;
  return Address::Inet(Inet_addr::bind_any(), std::get<Host_and_port>(target).port);
}

// The same for the near end, which may have been closed by now.
Address::Any unknown_of_kind(const Address::Any& other) {
  if (std::holds_alternative<Address::Unix>(other)) return Address::Unix();
  return Address::Inet(Inet_addr::bind_any(), 0);
}

void check(const Connect_options& options) {
  if (options.reader_buffer_size < 1) throw std::invalid_argument("reader_buffer_size is zero");
  if (options.happy_eyeballs.first_family_count < 1) {
    throw std::invalid_argument("first_family_count is less than one");
  }
}

// `what` is what a route or an upgrade does; its errors become those of connecting.
template <class F>
Deferred<std::unique_ptr<Transport>> as_part_of_connecting(Connect_error::Kind kind,
                                                           std::string peer, const Stop* stop,
                                                           F what) {
  Or_error<std::unique_ptr<Transport>> result = co_await or_error(async::internal::call(what));
  if (result && *result) co_return std::move(*result);
  if (result) throw Connect_error(kind, peer, "there is no connection", {});
  if (result.error().template as<Connect_error>()) result.error().rethrow();
  if (const auto why = stop->has_come()) {
    kind = *why == Stopped::Timed_out ? Connect_error::Kind::Timed_out
                                      : Connect_error::Kind::Interrupted;
  }
  throw Connect_error(kind, peer, result.error());
}

// All of connecting that can fail.  Its parameters outlive what it returns.
Deferred<std::unique_ptr<Transport>> reach(const Target* target, const Via_options* via,
                                           const Connect_options* options, const Stop* stop) {
  const Route::Connect connect = [=](Target to) -> Deferred<std::unique_ptr<Transport>> {
    Connecting connecting(to, *via, *options, *stop);
    co_return co_await connecting.connect();
  };
  if (!options->via) co_return co_await connect(*target);
  co_return co_await as_part_of_connecting(
      Connect_error::Kind::Proxy, to_string(*target), stop,
      [&] { return options->via->reach(*target, connect, *stop); });
}

}  // namespace

Deferred<Found> find(Target target, Via_options via, Connect_options options) {
  const std::string peer = to_string(target);
  try {
    check(options);
    const Stop stop(options.timeout, options.interrupt);
    auto transport = co_await reach(&target, &via, &options, &stop);
    // Through a route the address at the other end is the route's, and not of interest.
    const auto remote =
        options.via ? std::unexpected(std::error_code()) : transport->remote_address();
    if (options.tls) {
      transport = co_await as_part_of_connecting(Connect_error::Kind::Tls, peer, &stop, [&] {
        return options.tls->upgrade(std::move(transport), peer, stop);
      });
    }
    co_return Found{.transport = std::move(transport),
                    .remote = remote.value_or(address_of(target)),
                    .limits = {.buffer_age_limit = options.buffer_age_limit,
                               .buffer_limit = options.buffer_limit,
                               .reader_buffer_size = options.reader_buffer_size,
                               .idle_timeout = options.idle_timeout,
                               .max_lifetime = options.max_lifetime},
                    .observer = std::move(options.observer)};
  } catch (...) {
    if (options.observer) {
      Scheduler::schedule([observer = options.observer, peer, error = Error::current()] {
        observer->connect_failed(peer, error);
      });
    }
    throw;
  }
}

Connection_handle make_connection(Found found) {
  Connection_handle connection(Ref<Connection>::share(
      new Connection(std::move(found.transport), std::move(found.remote), found.limits)));
  if (found.observer) {
    const Address::Any remote = connection->remote();
    Connection_info info{
        .number = connection->number(),
        .local = connection->transport().local_address().value_or(unknown_of_kind(remote)),
        .remote = remote};
    Scheduler::schedule(
        [observer = found.observer, info = std::move(info)] { observer->connected(info); });
    connection->observe(std::move(found.observer));
  }
  return connection;
}

}  // namespace internal
}  // namespace async::Tcp
