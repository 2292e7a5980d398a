// tcp/tls/start_tls.h: TLS on a connection that has begun without it.
//
// Layer: tcp/tls.  Read next: client.h, server.h.

#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "async/deferred.h"
#include "async/time_ns.h"
#include "reader_writer/writer.h"
#include "tcp/tls/info.h"
#include "tcp/upgrade.h"

namespace async::Tls {

/// Why TLS was not started.  The connection is as it was, and can be used.
enum class Start_tls_refusal : unsigned char {
  Not_connected,   // it was closed, or has ended
  Already_tls,     // it has TLS, or TLS is being started
  Not_ready,       // a read is under way or paused, or something is unread or unwritten
  Session_failed,  // `how` is of no use for this peer; the reason is logged
};

/// `to_string(refusal)` is such as "not connected".
std::string_view to_string(Start_tls_refusal refusal);

struct Start_tls_options {
  /// The name, or address, of the other side, which a client verifies and asks for.  "" is the
  /// address of the other side.
  std::string peer = {};
  Span timeout = std::chrono::seconds(30);
  /// The handshake fails when this is determined.
  Deferred<> interrupt = never();
};

/// `start_tls(writer, how, options)` starts TLS on the connection of `writer`, as a client or as a
/// server, whichever `how` is (see `client` and `server`); and is determined with what that has
/// come to.  The reader, writer and socket of the connection stay what they are.
///
///     writer.write_line("STARTTLS");
///     if (co_await reader.read_line() == "220 go ahead") {
///       auto started = co_await Tls::start_tls(writer, Tls::client(), {.peer =
///       "mail.example.com"});
///     }
///
/// - Scheduling: what is written meanwhile waits, and leaves encrypted; `try_write` refuses, and
/// reads
///   wait.
/// - Errors: refuses without any effect, in the order of `Start_tls_refusal`.  What was received
/// before
///   is never taken for something that came encrypted (CVE-2021-23222): what the program has not
///   read is `Not_ready`, what the system still holds fails the handshake.  A handshake that fails
///   fails this, with `Error`, and closes the connection, and so does its timeout.
/// - Lifetime: it holds the connection.  (lori's `start_tls`.)
Deferred<std::expected<Info, Start_tls_refusal>> start_tls(Writer writer,
                                                           std::shared_ptr<const Tcp::Upgrade> how,
                                                           Start_tls_options options = {});

/// `info(writer)` is what the handshake of its connection has come to; nothing if there is no TLS.
std::optional<Info> info(const Writer& writer);

}  // namespace async::Tls
