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
  Handshake(Engine& engine, Handshake_io& io) : engine_(engine), io_(io) {}

  /// `receive()` takes what has come from the other side; false if nothing has.
  bool receive() {
    Lent<Input_room> room;
    const auto got = io_.read_now(*room);
    if (!got) return false;
    if (*got == 0) engine_.input_has_ended();
    unread_.append(room->data(), *got);
    return true;
  }

  struct Step {
    Engine::Progress progress;
    Deferred<> sent;
  };
  /// `go_on()` gives that to the engine, and sends what the engine says to it.
  Step go_on() {
    Kept_output out;
    engine_.set_input(unread_);
    // Keys are agreed upon and certificates verified in this call.
    const Engine::Progress progress = engine_.handshake(out);
    unread_.erase(0, unread_.size() - engine_.input().size());
    engine_.set_input({});
    return {progress, io_.write(out.bytes())};
  }

  /// `unread()` has come behind the handshake.  It is a copy, which has no room to spare.
  std::string unread() const { return unread_; }

 private:
  Engine& engine_;
  Handshake_io& io_;
  std::string unread_;  // by the engine
};

}  // namespace

Deferred<std::unique_ptr<Transport>> shake_hands(std::unique_ptr<Transport> transport,
                                                 std::unique_ptr<Engine> engine,
                                                 const Tcp::Stop* stop) {
  Handshake_io io(std::move(transport), *stop, "TLS handshake with " + engine->peer());
  Handshake handshake(*engine, io);
  // The client begins, and has often said something before the server looks.
  bool can_go_on = !engine->is_server() || handshake.receive();
  for (;;) {
    while (!can_go_on) {
      co_await io.readable();
      can_go_on = handshake.receive();
    }
    auto& turnstile = async::internal::engine().turnstile;
    co_await io.wait(turnstile.pass());
    auto [progress, sent] = handshake.go_on();
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

}  // namespace async::Tls::internal
