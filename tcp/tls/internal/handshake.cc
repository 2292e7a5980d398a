#include "tcp/tls/internal/handshake.h"

#include <string>
#include <utility>

#include "async/coroutine.h"
#include "async/in_thread.h"
#include "async/internal/engine.h"
#include "async/or_error.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/tls/internal/output.h"
#include "tcp/tls/internal/tls_transport.h"

namespace async::Tls::internal {

namespace {

constexpr std::size_t most_to_read = 16 * 1024;

Deferred<> read_more(Tcp::internal::Handshake_io* io, Engine* engine) {
  if (!co_await io->read_more(most_to_read)) engine->input_has_ended();
}

}  // namespace

Deferred<std::unique_ptr<Transport>> shake_hands(std::unique_ptr<Transport> transport,
                                                 std::unique_ptr<Engine> engine,
                                                 const Tcp::Stop* stop) {
  Tcp::internal::Handshake_io io(std::move(transport), *stop,
                                 "TLS handshake with " + engine->peer());
  // The client begins.
  if (engine->is_server()) co_await read_more(&io, engine.get());
  for (;;) {
    // Keys are agreed upon and certificates verified in this call.
    co_await io.wait(async::internal::engine().turnstile.pass());
    Kept_output out;
    engine->set_input(io.buffered());
    const Engine::Progress progress = engine->handshake(out);
    const std::size_t used = io.buffered().size() - engine->input().size();
    engine->set_input({});
    if (used > 0) co_await io.read(used);
    if (progress == Engine::Progress::Failed) {
      // The other side is told why; whether that arrives does not matter any more.
      if (!out.bytes().empty()) co_await or_error(io.write(out.take()));
      throw engine->error();
    }
    if (!out.bytes().empty()) co_await io.write(out.take());
    if (progress == Engine::Progress::Done) break;
    if (progress == Engine::Progress::Wants_signature) {
      co_await io.wait(In_thread::run([signature = engine->signature()] { signature->make(); }));
    } else {
      co_await read_more(&io, engine.get());
    }
  }
  std::string unread = co_await io.read(io.buffered().size());
  co_return std::make_unique<Tls_transport>(co_await io.finish(), std::move(engine),
                                            std::move(unread));
}

}  // namespace async::Tls::internal
