#include "tcp/tls/internal/handshake.h"

#include <string>
#include <utility>

#include "async/coroutine.h"
#include "async/or_error.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/tls/internal/tls_transport.h"

namespace async::Tls::internal {

namespace {

constexpr std::size_t most_to_read = 16 * 1024;

}  // namespace

Deferred<std::unique_ptr<Transport>> shake_hands(std::unique_ptr<Transport> transport,
                                                 std::unique_ptr<Engine> engine,
                                                 const Tcp::Stop* stop) {
  Tcp::internal::Handshake_io io(std::move(transport), *stop,
                                 "TLS handshake with " + engine->peer());
  for (;;) {
    std::string out;
    engine->set_input(io.buffered());
    const Engine::Status status = engine->handshake(out);
    const std::size_t used = io.buffered().size() - engine->input().size();
    engine->set_input({});
    if (used > 0) co_await io.read(used);
    if (status == Engine::Status::Failed) {
      // The other side is told why; whether that arrives does not matter any more.
      if (!out.empty()) co_await or_error(io.write(std::move(out)));
      throw engine->error();
    }
    if (!out.empty()) co_await io.write(std::move(out));
    if (status == Engine::Status::Done) break;
    if (!co_await io.read_more(most_to_read)) engine->input_has_ended();
  }
  co_return std::make_unique<Tls_transport>(co_await io.finish(), std::move(engine));
}

}  // namespace async::Tls::internal
