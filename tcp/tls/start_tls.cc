#include "tcp/tls/start_tls.h"

#include <utility>

#include "async/choose.h"
#include "async/coroutine.h"
#include "async/log.h"
#include "async/or_error.h"
#include "reader_writer/connection.h"
#include "tcp/stop.h"
#include "tcp/tls/internal/handshake.h"
#include "tcp/tls/internal/tls_transport.h"
#include "tcp/tls/internal/tls_upgrade.h"

namespace async::Tls {

using async::internal::Connection;

namespace {

const internal::Tls_transport* tls_of(Connection& connection) {
  return dynamic_cast<const internal::Tls_transport*>(&connection.transport());
}

std::optional<Start_tls_refusal> refusal(Connection& connection) {
  const Connection::Quiet quiet = connection.is_quiet();
  if (quiet == Connection::Quiet::Closed) return Start_tls_refusal::Not_connected;
  if (quiet == Connection::Quiet::Exchanging || tls_of(connection)) {
    return Start_tls_refusal::Already_tls;
  }
  if (quiet != Connection::Quiet::Yes) return Start_tls_refusal::Not_ready;
  return std::nullopt;
}

std::string name_of(const Start_tls_options& options, const Connection& connection) {
  const auto* inet = std::get_if<Address::Inet>(&connection.remote());
  const int port = inet ? inet->port() : 0;
  if (!options.peer.empty()) return options.peer + ":" + std::to_string(port);
  return to_string(connection.remote());
}

// Either of them interrupts.
Deferred<> either(Deferred<> a, Deferred<> b) {
  return choose(choice(std::move(a), [] {}), choice(std::move(b), [] {}));
}

}  // namespace

std::string_view to_string(Start_tls_refusal refusal) {
  switch (refusal) {
    case Start_tls_refusal::Not_connected:
      return "not connected";
    case Start_tls_refusal::Already_tls:
      return "already TLS";
    case Start_tls_refusal::Not_ready:
      return "not ready";
    case Start_tls_refusal::Session_failed:
      return "session failed";
  }
  return "unknown";
}

Deferred<std::expected<Info, Start_tls_refusal>> start_tls(Writer writer,
                                                           std::shared_ptr<const Tcp::Upgrade> how,
                                                           Start_tls_options options) {
  Connection& connection = writer.connection();
  if (const auto why = refusal(connection)) co_return std::unexpected(*why);
  const auto* makes = dynamic_cast<const internal::Makes_engines*>(how.get());
  if (!makes) throw std::invalid_argument("this upgrade is no TLS");
  std::unique_ptr<internal::Engine> engine;
  try {
    engine = makes->make_engine(name_of(options, connection));
  } catch (const Error& error) {
    Log::error(error.what());
    co_return std::unexpected(Start_tls_refusal::Session_failed);
  }
  auto [transport, closed] = connection.take_transport();
  const Tcp::Stop stop(options.timeout, either(closed, options.interrupt));
  auto encrypted =
      co_await or_error(internal::shake_hands(std::move(transport), std::move(engine), &stop));
  if (!encrypted) {
    connection.lose_transport(encrypted.error());
    encrypted.error().rethrow();
  }
  connection.give_transport(std::move(*encrypted));
  const auto result = info(writer);
  if (!result) throw Error(Error::Kind::Closed, "the connection was closed while TLS was started");
  co_return *result;
}

std::optional<Info> info(const Writer& writer) {
  const auto* tls = tls_of(writer.connection());
  return tls ? std::optional(tls->engine().info()) : std::nullopt;
}

}  // namespace async::Tls
