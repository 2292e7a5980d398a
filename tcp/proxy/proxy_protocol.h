// tcp/proxy/proxy_protocol.h: the PROXY protocol, by which a proxy tells whom it connects for.
//
// Layer: tcp/proxy.  Read next: tcp/server.h and tcp/upgrade.h, which take what accepts it;
// tcp/route.h, which is what sends it; internal/proxy_header.h for the bytes.

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "async/io/address.h"
#include "async/io/cidr.h"
#include "tcp/route.h"
#include "tcp/upgrade.h"

/// The PROXY protocol, versions 1 and 2, as HAProxy specifies it.
namespace async::Tcp::Proxy_protocol {

/// The two ends of the connection that a proxy has accepted.
struct Ends {
  Address::Any source;
  Address::Any destination;

  friend bool operator==(const Ends&, const Ends&) = default;
};

struct Accept_options {
  /// Whether each connection has a header.  If it need not have one, what it begins with decides,
  /// and one without is served as it is.  That is less safe, and clients then have to send
  /// something first.
  bool required = true;
  /// From which addresses a header is believed; by default from none.  Whoever connects over a unix
  /// socket is always believed: that has permissions of its own.
  std::vector<Cidr> trusted = {};
};

/// `accept(options)` reads the header that each connection of a server begins with, and no more.
/// What it makes says of itself that its ends are those that the header names, or the real ones if
/// the header names none, as that of a health check.
///
///     co_await Tcp::Server::create(
///         Tcp::on_port(80),
///         {.proxy_protocol =
///              Tcp::Proxy_protocol::accept({.trusted = {Cidr::of_string("10.1.0.0/16")}})},
///         handler);
///
/// - Errors: the connection fails if its header is missing, wrong, too long, or sent by somebody
/// who
///   is not trusted.  Such a one, where a header is required, is not even listened to.
/// - Limits: a header of version 1 has 107 bytes at most, one of version 2 has 64 KiB.  Its
/// additional
///   fields are passed over, but its checksum is verified if it has one.
std::shared_ptr<const Upgrade> accept(Accept_options options);

enum class Version : unsigned char { V1, V2 };

struct Send_options {
  Version version = Version::V2;
  /// For whom the connection is; nothing for its own two ends, which says that it is nobody's but
  /// this program's.
  std::optional<Ends> client = std::nullopt;
  /// How to reach the peer; null for directly.
  std::shared_ptr<const Route> via = nullptr;
};

/// `send(options)` is the way to a peer that expects such a header, which is sent before anything
/// else, and so before `tls` as well.  Ends of two kinds, and unix sockets in version 1, cannot be
/// named there; the header then says that they are unknown.
///
///     co_await Tcp::connect(where, {.via = Tcp::Proxy_protocol::send(
///                                       {.client = {{.source = from, .destination = to}}})});
///
/// - Errors: connecting fails with `Connect_error`; as without this, if the peer cannot be reached.
std::shared_ptr<const Route> send(Send_options options = {});

}  // namespace async::Tcp::Proxy_protocol
