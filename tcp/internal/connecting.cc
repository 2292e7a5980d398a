#include "tcp/internal/connecting.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <variant>

#include "async/choose.h"
#include "async/clock.h"
#include "async/coroutine.h"
#include "async/io/io_error.h"
#include "async/io/socket_option.h"
#include "async/scheduler.h"
#include "tcp/dns/address_order.h"

namespace async::Tcp::internal {

namespace {

// RFC 8305, section 5.
constexpr std::chrono::milliseconds shortest_attempt_delay(10);
constexpr std::chrono::seconds longest_attempt_delay(2);

Span attempt_delay(const Happy_eyeballs& options) {
  return std::clamp(options.attempt_delay, Span(shortest_attempt_delay),
                    Span(longest_attempt_delay));
}

// The system takes "all addresses" for this machine, and so must who asks what is permitted.
bool permits(const Access& access, const Address::Any& address) {
  if (!access.permits(address)) return false;
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return true;
  const Inet_addr addr = inet->addr().unmapped();
  if (!addr.is_any()) return true;
  return access.permits(addr.version() == Ip_version::V4 ? Inet_addr::localhost()
                                                         : Inet_addr::localhost_v6());
}

std::string_view name_of(Ip_version version) { return version == Ip_version::V4 ? "IPv4" : "IPv6"; }

}  // namespace

// `f(observer)` runs in a job, so that an observer is told in order, and never from in here.
template <class F>
void Connecting::tell(F f) const {
  if (!options_.observer) return;
  Scheduler::schedule([observer = options_.observer, f = std::move(f)] { f(*observer); });
}

void Connecting::failed(Connect_error::Attempt attempt) {
  tell([peer = peer_, address = attempt.address, code = attempt.code](Observer& observer) {
    observer.attempt_failed(peer, address, code);
  });
  failed_.push_back(std::move(attempt));
}

void Connecting::tell_how_many() const {
  tell([peer = peer_, in_flight = attempts_.size()](Observer& observer) {
    observer.connecting(peer, in_flight);
  });
}

void Connecting::stopped(Stopped why) const {
  throw why == Stopped::Timed_out
      ? Connect_error(Connect_error::Kind::Timed_out, peer_, "timed out", failed_)
      : Connect_error(Connect_error::Kind::Interrupted, peer_, "interrupted", failed_);
}

// Which addresses.

std::optional<Ip_version> Connecting::wanted_family() const {
  if (via_.family) return via_.family;
  if (via_.via_local_interface) return via_.via_local_interface->version();
  return std::nullopt;
}

Deferred<std::vector<Address::Any>> Connecting::addresses() {
  std::vector<Address::Any> result;
  if (const auto* inet = std::get_if<Address::Inet>(&target_)) {
    result.emplace_back(*inet);
  } else if (const auto* file = std::get_if<Address::Unix>(&target_)) {
    result.emplace_back(*file);
  } else {
    const int port = std::get<Host_and_port>(target_).port;
    for (const Inet_addr& addr : co_await resolve(std::get<Host_and_port>(target_).host)) {
      result.emplace_back(Address::Inet(addr, port));
    }
  }
  co_return result;
}

Deferred<std::vector<Inet_addr>> Connecting::resolve(std::string host) {
  constexpr auto kind = Connect_error::Kind::Name_resolution;
  Network& network = Network::current();
  auto found = co_await stop_.wait(or_error(network.resolve(std::move(host))));
  if (!found) stopped(found.error());
  if (!*found) {
    const auto* io = (*found).error().as<Io_error>();
    throw Connect_error(kind, peer_, (*found).error().what(), {},
                        io ? io->code() : Name_error::Other);
  }
  std::vector<Inet_addr> addrs = std::move(**found);
  if (addrs.empty()) {
    throw Connect_error(kind, peer_, "the name has no address", {}, Name_error::No_data);
  }
  if (const auto family = wanted_family()) {
    std::erase_if(addrs, [&](const Inet_addr& addr) { return addr.version() != *family; });
    if (addrs.empty()) {
      throw Connect_error(kind, peer_,
                          "the name has no " + std::string(name_of(*family)) + " address", {},
                          Name_error::No_data);
    }
  }
  co_return Dns::order_of_attempts(std::move(addrs), network, options_.happy_eyeballs.prefer,
                                   options_.happy_eyeballs.first_family_count);
}

// One attempt.

std::unique_ptr<Unconnected_socket> Connecting::make_socket(const Address::Any& address) const {
  const auto family = Network::family_of(address);
  auto made = Network::current().create_socket(family);
  if (!made) throw Io_error(made.error(), "create a socket");
  std::unique_ptr<Unconnected_socket> socket = std::move(*made);
  set_options(*socket, family, options_.socket);
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet || (!via_.via_local_interface && via_.bind_to_port == 0)) return socket;
  if (via_.bind_to_port != 0 && !options_.socket.reuseaddr) {
    setopt(*socket, Socket_opt::reuseaddr, true);
  }
  const Inet_addr any =
      inet->addr().version() == Ip_version::V4 ? Inet_addr::bind_any() : Inet_addr::bind_any_v6();
  const Address::Inet local(via_.via_local_interface.value_or(any), via_.bind_to_port);
  if (const auto error = socket->bind(local)) throw Io_error(error, "bind to " + to_string(local));
  return socket;
}

// Returns false if it has failed already.
bool Connecting::begin(const Address::Any& address) {
  const auto* inet = std::get_if<Address::Inet>(&address);
  const auto family = wanted_family();
  if (inet && family && inet->addr().version() != *family) {
    failed({address, io_error_of_errno(EAFNOSUPPORT)});
    return false;
  }
  if (!permits(options_.access, address)) {
    failed({address, access_denied()});
    return false;
  }
  try {
    auto socket = make_socket(address);
    Deferred<std::error_code> connected = socket->connect(address);
    attempts_.push_back({address, std::move(socket), std::move(connected)});
  } catch (const Io_error& error) {
    failed({address, error.code(), error.what()});
    return false;
  }
  tell_how_many();
  return true;
}

std::expected<std::unique_ptr<Transport>, std::error_code> Connecting::take(Attempt& attempt) {
  if (const std::error_code code = *attempt.connected.peek()) return std::unexpected(code);
  auto transport = attempt.socket->take_transport();
  if (!transport) return transport;
  // A port of this machine that nobody listens on may be chosen for the near end as well, and the
  // connection then is one with itself.
  const auto local = (*transport)->local_address();
  if (local && *local == attempt.address && Network::family_of(*local) != Network::Family::Unix) {
    return std::unexpected(io_error_of_errno(ECONNREFUSED));
  }
  set_options_again(**transport, Network::family_of(attempt.address), options_.socket);
  return transport;
}

// The race.

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
  const auto next = Clock::Event::after(attempt_delay(options_.happy_eyeballs));
  const auto ended = co_await stop_.wait(
      choose(choice(std::move(first), [](std::size_t i) { return Index(i); }),
             choice(next.fired(), [](Clock::Event::Status) { return Index(); })));
  next.abort();
  if (!ended) stopped(ended.error());
  co_return *ended;
}

Deferred<std::unique_ptr<Transport>> Connecting::connect() {
  if (const auto stop = stop_.has_come()) stopped(*stop);
  const std::vector<Address::Any> addresses = co_await this->addresses();
  auto next = addresses.begin();
  const auto there_are_more = [&] { return next != addresses.end(); };
  while (there_are_more() || !attempts_.empty()) {
    while (there_are_more() && !begin(*next++)) {
    }
    while (!attempts_.empty()) {
      const auto ended = co_await next_to_end(there_are_more());
      if (!ended) break;
      Attempt attempt = std::move(attempts_[*ended]);
      attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(*ended));
      auto transport = take(attempt);
      if (transport) co_return std::move(*transport);
      failed({attempt.address, transport.error()});
      if (!attempts_.empty()) tell_how_many();
      if (there_are_more()) break;
    }
  }
  throw Connect_error(Connect_error::kind_of(failed_), peer_, "", failed_);
}

}  // namespace async::Tcp::internal
