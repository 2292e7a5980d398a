#include "tcp/tls/server.h"

#include <mutex>
#include <utility>

#include "tcp/tls/internal/context.h"
#include "tcp/tls/internal/handshake.h"
#include "tcp/tls/internal/identities.h"
#include "tcp/tls/internal/pem.h"
#include "tcp/tls/internal/tls_upgrade.h"

namespace async::Tls {

namespace internal {

namespace {

class Server_upgrade final : public Server, public Makes_engines {
 public:
  explicit Server_upgrade(Server_options options) : options_(std::move(options)) {
    set_identities(
        {.certificate_chain = options_.certificate_chain, .private_key = options_.private_key},
        options_.more_identities);
  }

  void set_identities(const Identity& first, const std::vector<Identity>& more) override {
    Ssl_ctx context = make_context_of(options_);
    have_identities(*context, first, more);
    ask_for_certificates(*context);
    if (!options_.alpn.empty()) {
      Owned_by_context<Alpn>::add(*context, std::make_unique<Alpn>(alpn_of(options_.alpn)));
      SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    }
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!options_.resume_sessions) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    // Sessions are resumed only where clients are verified in the same way.
    static constexpr std::uint8_t name[] = "async_uv";
    SSL_CTX_set_session_id_context(context.get(), name, sizeof name);
    const std::scoped_lock lock(mutex_);
    context_.swap(context);
  }

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                               std::string peer,
                                               const Tcp::Stop& stop) const override {
    return accept_handshake(std::move(transport), context(), std::move(peer), &stop);
  }

  std::unique_ptr<Engine> make_engine(const std::string& peer) const override {
    return Engine::accept(*context(), peer);
  }

 private:
  /// The protocols of this side, as they are sent.
  struct Alpn {
    std::string list;
  };

  Ssl_ctx context() const {
    const std::scoped_lock lock(mutex_);
    return share(*context_);
  }

  static void have_identities(SSL_CTX& context, const Identity& first,
                              const std::vector<Identity>& more) {
    if (!Engine::have_identities(context, std::make_unique<const Identities>(first, more))) {
      fail_configuration("the certificate in " + name_of(first.certificate_chain) +
                         " is of no use");
    }
    if (more.empty()) return;
    SSL_CTX_set_cert_cb(
        &context,
        [](SSL* ssl, void*) {
          const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
          const Identities& identities = Engine::identities_of(*ssl);
          const Loaded_identity& chosen = identities.of(name ? name : "");
          return &chosen == &identities.first() || Engine::of(*ssl).use(chosen) ? 1 : 0;
        },
        nullptr);
  }

  void ask_for_certificates(SSL_CTX& context) const {
    switch (options_.client_certificates) {
      case Client_certificates::None:
        return;
      case Client_certificates::Request:
        verify_peer(context, SSL_VERIFY_PEER);
        break;
      case Client_certificates::Require:
        verify_peer(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        break;
    }
    use_trust(context, options_.trust);
  }

  // The first of ours that the client has.
  static int choose_protocol(SSL* ssl, const std::uint8_t** chosen, std::uint8_t* size,
                             const std::uint8_t* offered, unsigned offered_size, void*) {
    const std::string& ours = Owned_by_context<Alpn>::of(*ssl).list;
    std::uint8_t* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, reinterpret_cast<const std::uint8_t*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  const Server_options options_;
  mutable std::mutex mutex_;
  Ssl_ctx context_;  // of handshakes that begin now; those that have begun keep theirs
};

}  // namespace
}  // namespace internal

std::shared_ptr<Server> server(Server_options options) {
  return std::make_shared<internal::Server_upgrade>(std::move(options));
}

}  // namespace async::Tls
