#include "tcp/connect.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/coroutine.h"
#include "async/internal/keep.h"
#include "async/io/io_error.h"
#include "async/io/network.h"
#include "tcp/dns/address_order.h"

namespace async::Tcp {

std::string to_string(const Target& target) {
  return std::visit([](const auto& one) { return to_string(one); }, target);
}

namespace internal {

namespace {

using async::internal::Connection;
using async::internal::Connection_handle;
using async::internal::Ref;

// RFC 8305, section 5.
constexpr std::chrono::milliseconds attempt_delay(250);

Network::Family family_of(const Address::Any& address) {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return Network::Family::Unix;
  return inet->addr().version() == Ip_version::V4 ? Network::Family::V4 : Network::Family::V6;
}

// What to call the other end of a connection whose address is not known.
Address::Any address_of(const Target& target) {
  if (const auto* inet = std::get_if<Address::Inet>(&target)) return *inet;
  if (const auto* file = std::get_if<Address::Unix>(&target)) return *file;
  return Address::Inet(Inet_addr::bind_any(), std::get<Host_and_port>(target).port);
}

/// Connecting to one peer.
class Connecting {
 public:
  Connecting(const Target& target, std::optional<Inet_addr> via_local_interface, const Stop& stop)
      : target_(target), peer_(to_string(target)), local_(via_local_interface), stop_(stop) {}

  Deferred<std::unique_ptr<Transport>> connect();

 private:
  /// One address on the way.  Destroying it closes the socket.
  struct Attempt {
    Address::Any address;
    std::unique_ptr<Unconnected_socket> socket;
    Deferred<std::error_code> connected;
  };

  Deferred<std::vector<Address::Any>> addresses();
  void begin(const Address::Any& address);
  Deferred<std::optional<std::size_t>> next_to_end(bool there_are_more);
  std::expected<std::unique_ptr<Transport>, std::error_code> take(Attempt& attempt);
  void failed(const Address::Any& address, std::error_code code) {
    failed_.push_back({address, code});
  }
  [[noreturn]] void stopped(Stopped why) const;

  const Target& target_;
  const std::string peer_;
  const std::optional<Inet_addr> local_;
  const Stop& stop_;
  std::vector<Attempt> attempts_;
  std::vector<Connect_error::Attempt> failed_;
};

void Connecting::stopped(Stopped why) const {
  throw why == Stopped::Timed_out
      ? Connect_error(Connect_error::Kind::Timed_out, peer_, "timed out", failed_)
      : Connect_error(Connect_error::Kind::Interrupted, peer_, "interrupted", failed_);
}

Deferred<std::vector<Address::Any>> Connecting::addresses() {
  std::vector<Address::Any> result;
  if (const auto* inet = std::get_if<Address::Inet>(&target_)) {
    result.push_back(*inet);
  } else if (const auto* file = std::get_if<Address::Unix>(&target_)) {
    result.push_back(*file);
  } else {
    const Host_and_port& name = std::get<Host_and_port>(target_);
    Network& network = Network::current();
    const auto found = co_await stop_.wait(or_error(network.resolve(name.host)));
    if (!found) stopped(found.error());
    if (!*found) {
      throw Connect_error(Connect_error::Kind::Name_resolution, peer_, found->error().what(), {});
    }
    for (const Inet_addr& addr : Dns::order_of_attempts(**found, network)) {
      result.emplace_back(Address::Inet(addr, name.port));
    }
    if (result.empty()) {
      throw Connect_error(Connect_error::Kind::Name_resolution, peer_, "the name has no address",
                          {});
    }
  }
  co_return result;
}

void Connecting::begin(const Address::Any& address) {
  auto socket = Network::current().create_socket(family_of(address));
  if (!socket) {
    failed(address, socket.error());
    return;
  }
  if (const auto* inet = std::get_if<Address::Inet>(&address)) {
    setopt(**socket, Socket_opt::nodelay, true);
    if (local_ && local_->version() != inet->addr().version()) {
      failed(address, io_error_of_errno(EAFNOSUPPORT));
      return;
    }
    if (local_) {
      if (const auto error = (*socket)->bind(Address::Inet(*local_, 0))) {
        failed(address, error);
        return;
      }
    }
  }
  Deferred<std::error_code> connected = (*socket)->connect(address);
  attempts_.push_back({address, std::move(*socket), std::move(connected)});
}

// The index of the next attempt to end; nothing when it is time to begin another one.
Deferred<std::optional<std::size_t>> Connecting::next_to_end(bool there_are_more) {
  using Index = std::optional<std::size_t>;
  auto index_of = [](std::size_t i) { return [i](const std::error_code&) { return i; }; };
  std::vector<Choice<std::error_code, decltype(index_of(0)), false>> ends;
  ends.reserve(attempts_.size());
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    ends.push_back(choice(std::as_const(attempts_[i].connected), index_of(i)));
  }
  Deferred<std::size_t> first = choose(std::move(ends));
  if (!there_are_more) {
    const auto ended = co_await stop_.wait(std::move(first));
    if (!ended) stopped(ended.error());
    co_return *ended;
  }
  const auto next = Clock::Event::after(attempt_delay);
  const auto ended = co_await stop_.wait(
      choose(choice(std::move(first), [](std::size_t i) { return Index(i); }),
             choice(next.fired(), [](Clock::Event::Status) { return Index(); })));
  next.abort();
  if (!ended) stopped(ended.error());
  co_return *ended;
}

std::expected<std::unique_ptr<Transport>, std::error_code> Connecting::take(Attempt& attempt) {
  if (const std::error_code code = *attempt.connected.peek()) return std::unexpected(code);
  auto transport = attempt.socket->take_transport();
  if (!transport) return transport;
  // A port of this machine that nobody listens on may be chosen for the near end as well, and the
  // connection then is one with itself.
  const auto local = (*transport)->local_address();
  if (local && *local == attempt.address && family_of(*local) != Network::Family::Unix) {
    return std::unexpected(io_error_of_errno(ECONNREFUSED));
  }
  return transport;
}

Deferred<std::unique_ptr<Transport>> Connecting::connect() {
  if (const auto stop = stop_.has_come()) stopped(*stop);
  const std::vector<Address::Any> addresses = co_await this->addresses();
  auto next = addresses.begin();
  while (next != addresses.end() || !attempts_.empty()) {
    if (next != addresses.end()) begin(*next++);
    while (!attempts_.empty()) {
      const auto ended = co_await next_to_end(next != addresses.end());
      if (!ended) break;
      Attempt attempt = std::move(attempts_[*ended]);
      attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(*ended));
      auto transport = take(attempt);
      if (transport) co_return std::move(*transport);
      failed(attempt.address, transport.error());
      if (next != addresses.end()) break;
    }
  }
  throw Connect_error(Connect_error::kind_of(failed_), peer_, "", failed_);
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
  throw Connect_error(kind, peer, result.error().what(), {});
}

}  // namespace

Deferred<Found> find(Target target, std::optional<Inet_addr> via_local_interface,
                     Connect_options options) {
  if (options.reader_buffer_size < 1) throw std::invalid_argument("reader_buffer_size is zero");
  const Stop stop(options.timeout, options.interrupt);
  const std::string peer = to_string(target);
  const Route::Connect connect = [&](Target to) -> Deferred<std::unique_ptr<Transport>> {
    Connecting connecting(to, via_local_interface, stop);
    co_return co_await connecting.connect();
  };
  std::unique_ptr<Transport> transport;
  if (options.via) {
    transport = co_await as_part_of_connecting(Connect_error::Kind::Proxy, peer, &stop, [&] {
      return options.via->reach(target, connect, stop);
    });
  } else {
    transport = co_await connect(target);
  }
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
                             .reader_buffer_size = options.reader_buffer_size}};
}

Connection_handle make_connection(Found found) {
  return Connection_handle(Ref<Connection>::share(
      new Connection(std::move(found.transport), std::move(found.remote), found.limits)));
}

}  // namespace internal
}  // namespace async::Tcp
