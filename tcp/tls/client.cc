#include "tcp/tls/client.h"

#include <utility>

#include "async/internal/keep.h"
#include "async/io/inet_addr.h"
#include "tcp/tls/internal/context.h"
#include "tcp/tls/internal/handshake.h"
#include "tcp/tls/internal/identities.h"
#include "tcp/tls/internal/pem.h"
#include "tcp/tls/internal/session_cache.h"
#include "tcp/tls/internal/tls_upgrade.h"

namespace async::Tls {

namespace internal {

namespace {

/// The name of "example.com:443", "192.0.2.1:80" or "[2001:db8::1]:443".
std::string host_of(const std::string& peer) {
  if (peer.starts_with('[')) return peer.substr(1, peer.find(']') - 1);
  return peer.substr(0, peer.rfind(':'));
}

// As it is compared: without the dot that makes a name absolute.
std::string plain(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

class Client final : public Tcp::Upgrade, public Makes_engines {
 public:
  explicit Client(Client_options options) : options_(std::move(options)) {
    context_ = make_context_of(options_);
    if (options_.identity &&
        !Engine::have_identities(*context_, std::make_unique<const Identities>(
                                                *options_.identity, std::vector<Identity>()))) {
      fail_configuration("the certificate of this side is of no use");
    }
    if (options_.accept_any_certificate_of_anybody) {
      verify_peer(*context_, SSL_VERIFY_NONE);
    } else {
      use_trust(*context_, options_.trust);
      verify_peer(*context_, SSL_VERIFY_PEER);
    }
    const std::string alpn = alpn_of(options_.alpn);
    if (!alpn.empty()) {
      SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const std::uint8_t*>(alpn.data()),
                              alpn.size());
    }
    if (options_.resume_sessions) remember_sessions();
  }

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                               std::string peer,
                                               const Tcp::Stop& stop) const override {
    return async::internal::call(
        [&] { return shake_hands(std::move(transport), make_engine(peer), &stop); });
  }

  std::unique_ptr<Engine> make_engine(const std::string& peer) const override {
    Ssl made(SSL_new(context_.get()));
    SSL* ssl = made.get();
    SSL_set_connect_state(ssl);
    const std::string host = host_of(peer);
    const std::string server_name = plain(options_.server_name.value_or(host));
    if (!server_name.empty() && !Inet_addr::parse(server_name)) {
      SSL_set_tlsext_host_name(ssl, server_name.c_str());
    }
    if (sessions_) {
      if (const Ssl_session session = sessions_->take(peer)) SSL_set_session(ssl, session.get());
    }
    auto engine = std::make_unique<Engine>(std::move(made), peer);
    if (!options_.accept_any_certificate_of_anybody && !options_.accept_certificate_for_any_host &&
        !engine->verify_name(plain(options_.verified_name.value_or(host)))) {
      fail_configuration("there is no name to verify a certificate for; see verified_name");
    }
    return engine;
  }

 private:
  void remember_sessions() {
    SSL_CTX& context = *context_;
    sessions_ = &Owned_by_context<Session_cache>::add(context, std::make_unique<Session_cache>());
    SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(&context, [](SSL* ssl, SSL_SESSION* session) {
      Owned_by_context<Session_cache>::of(*ssl).put(Engine::of(*ssl).peer(), Ssl_session(session));
      return 1;  // it is ours now
    });
  }

  const Client_options options_;
  Ssl_ctx context_;
  Session_cache* sessions_ = nullptr;  // the context's
};

}  // namespace
}  // namespace internal

std::shared_ptr<const Tcp::Upgrade> client(Client_options options) {
  return std::make_shared<internal::Client>(std::move(options));
}

}  // namespace async::Tls
