#include "tcp/tls/internal/handshake.h"

#include <string>
#include <utility>

#include "async/coroutine.h"
#include "async/in_thread.h"
#include "async/internal/engine.h"
#include "async/or_error.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/tls/internal/lent.h"
#include "tcp/tls/internal/output.h"
#include "tcp/tls/internal/tls_transport.h"

namespace async::Tls::internal {

namespace {

using Tcp::internal::Handshake_io;

/// A handshake that is under way.
class Handshake {
 public:
  explicit Handshake(Handshake_io& io) : io_(io) {}

  /// `receive()` takes what has come from the other side; false if nothing has.
  bool receive() {
    Lent<Input_room> room;
    const auto got = io_.read_now(*room);
    if (!got) return false;
    has_ended_ = *got == 0;
    unread_.append(room->data(), *got);
    return true;
  }

  struct Step {
    Engine::Progress progress;
    Deferred<> sent;
  };
  /// `go_on(engine)` gives that to the engine, and sends what the engine says to it.
  Step go_on(Engine& engine) {
    Kept_output out;
    engine.set_input(unread_);
    if (has_ended_) engine.input_has_ended();
    // Keys are agreed upon and certificates verified in this call.
    const Engine::Progress progress = engine.handshake(out);
    unread_.erase(0, unread_.size() - engine.input().size());
    engine.set_input({});
    return {progress, io_.write(out.bytes())};
  }

  /// `unread()` has come behind the handshake.  It is a copy, which has no room to spare.
  std::string unread() const { return unread_; }

 private:
  Handshake_io& io_;
  std::string unread_;  // by the engine
  bool has_ended_ = false;
};

// Without an engine, one is made of `context` when the other side has begun.
Deferred<std::unique_ptr<Transport>> shake(std::unique_ptr<Transport> transport,
                                           std::unique_ptr<Engine> engine, Ssl_ctx context,
                                           std::string peer, const Tcp::Stop* stop) {
  Handshake_io io(std::move(transport), *stop, std::move(peer), "TLS handshake with ");
  Handshake handshake(io);
  // The client begins, and has often said something before the server looks.
  bool can_go_on = (engine && !engine->is_server()) || handshake.receive();
  for (;;) {
    while (!can_go_on) {
      co_await io.readable();
      can_go_on = handshake.receive();
    }
    auto& turnstile = async::internal::engine().turnstile;
    co_await io.wait(turnstile.pass());
    if (!engine) engine = Engine::accept(*context, io.peer());
    auto [progress, sent] = handshake.go_on(*engine);
    turnstile.leave();
    if (progress == Engine::Progress::Failed) {
      // The other side is told why; whether that arrives does not matter any more.
      co_await or_error(std::move(sent));
      throw engine->error();
    }
    co_await std::move(sent);
    if (progress == Engine::Progress::Done) break;
    can_go_on = progress == Engine::Progress::Wants_signature;
    if (can_go_on) {
      co_await io.wait(In_thread::run([signature = engine->signature()] { signature->make(); }));
    }
  }
  co_return std::make_unique<Tls_transport>(io.finish(), std::move(engine), handshake.unread());
}

}  // namespace

Deferred<std::unique_ptr<Transport>> shake_hands(std::unique_ptr<Transport> transport,
                                                 std::unique_ptr<Engine> engine,
                                                 const Tcp::Stop* stop) {
  std::string peer = engine->peer();
  return shake(std::move(transport), std::move(engine), nullptr, std::move(peer), stop);
}

Deferred<std::unique_ptr<Transport>> accept_handshake(std::unique_ptr<Transport> transport,
                                                      Ssl_ctx context, std::string peer,
                                                      const Tcp::Stop* stop) {
  return shake(std::move(transport), nullptr, std::move(context), std::move(peer), stop);
}

}  // namespace async::Tls::internal
