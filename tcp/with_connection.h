// tcp/with_connection.h: a connection for the length of one task.
//
// Layer: tcp.  Read next: connect.h, for a connection that lives longer.

#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "async/coroutine.h"
#include "async/internal/keep.h"
#include "async/try_with.h"
#include "tcp/connect.h"

namespace async::Tcp {

namespace internal {

/// `close_and_log(connection)` closes after success, and logs what was dropped.
Deferred<> close_and_log(async::internal::Connection_handle connection);

}  // namespace internal

/// `with_connection(where, options, f)` connects, and calls `f(socket, reader, writer)`.  Whatever
/// happens in `f`, the connection is closed on the way out: it is determined when what `f` returned
/// is determined *and* the descriptor is closed.
///
///     std::string answer = co_await Tcp::with_connection(
///         Tcp::to_host_and_port(host, port), {.timeout = 2s},
///         [&](auto socket, Reader reader, Writer writer) -> Deferred<std::string> {
///           writer.write_line(question);
///           auto line = co_await reader.read_line();
///           co_return line ? *line : "";
///         });
///
/// - Scheduling: `f` runs under a monitor of its own.
/// - Errors: fails with `Connect_error`, or with the first of: the failure of `f`, an error of
///   anything that was started under it, an error of the writer.  Such an error aborts the
///   connection: reads end, and what is written is discarded and counted; `socket.closed()` tells
///   an `f` that waits for something else.  Later errors go to the log.
/// - Lifetime: it is scoped, so `f` may capture by reference.  After success, closing flushes what
///   has been written, for at most 30 seconds; what was then not flushed is logged.
template <class A, class F>
auto with_connection(Where_to_connect<A> where, Connect_options options, F f)
    -> std::invoke_result_t<F&, Socket<Socket_state::Active, A>, Reader, Writer> {
  using Result = std::invoke_result_t<F&, Socket<Socket_state::Active, A>, Reader, Writer>;
  using T = async::internal::Value_in<Result>;
  internal::Found found =
      co_await internal::find(internal::target_of(where), where.via(), std::move(options));
  std::optional<async::internal::Connection_handle> connection;
  Ivar<> f_has_ended;
  Or_error<T> outcome = co_await try_with({.rest = Rest::log()}, [&, f_has_ended]() -> Deferred<T> {
    connection = internal::make_connection(std::move(found));
    auto result = co_await or_error(async::internal::call([&] {
      return f(Socket<Socket_state::Active, A>(*connection), Reader(*connection),
               Writer(*connection));
    }));
    f_has_ended.fill();
    if (!result) result.error().rethrow();
    if constexpr (!std::is_void_v<T>) co_return std::move(*result);
  });
  if (!outcome) co_await (*connection)->give_up();
  co_await f_has_ended.read();
  if (!outcome) outcome.error().rethrow();
  co_await internal::close_and_log(*connection);
  if constexpr (!std::is_void_v<T>) co_return std::move(*outcome);
}
template <class A, class F>
auto with_connection(Where_to_connect<A> where, F f)
    -> std::invoke_result_t<F&, Socket<Socket_state::Active, A>, Reader, Writer> {
  return with_connection(std::move(where), Connect_options(), std::move(f));
}

}  // namespace async::Tcp
