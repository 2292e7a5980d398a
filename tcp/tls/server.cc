#include "tcp/tls/server.h"

#include <mutex>
#include <utility>

#include "async/internal/keep.h"
#include "tcp/tls/internal/context.h"
#include "tcp/tls/internal/handshake.h"
#include "tcp/tls/internal/identities.h"
#include "tcp/tls/internal/tls_upgrade.h"

namespace async::Tls {

namespace internal {

namespace {

class Server_upgrade final : public Server, public Makes_engines {
 public:
  explicit Server_upgrade(Server_options options) : options_(std::move(options)) {
    context_ = make_context_of(options_);
    choose_ciphers();
    choose_identities();
    ask_for_certificates();
    if (!options_.alpn.empty()) {
      Owned_by_context<Alpn>::add(*context_, std::make_unique<Alpn>(alpn_of(options_.alpn)));
      SSL_CTX_set_alpn_select_cb(context_.get(), choose_protocol, nullptr);
    }
    if (!options_.resume_sessions) SSL_CTX_set_options(context_.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    // Sessions are resumed only where clients are verified in the same way.
    static constexpr std::uint8_t name[] = "async_uv";
    SSL_CTX_set_session_id_context(context_.get(), name, sizeof name);
  }

  void set_identities(const Identity& first, const std::vector<Identity>& more) override {
    auto identities = std::make_shared<const Identities>(first, more);
    const std::scoped_lock lock(identities_->mutex);
    identities_->now = std::move(identities);
  }

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                               std::string peer,
                                               const Tcp::Stop& stop) const override {
    return async::internal::call(
        [&] { return shake_hands(std::move(transport), make_engine(peer), &stop); });
  }

  std::unique_ptr<Engine> make_engine(const std::string& peer) const override {
    Ssl ssl(SSL_new(context_.get()));
    SSL_set_accept_state(ssl.get());
    return std::make_unique<Engine>(std::move(ssl), peer);
  }

 private:
  /// The protocols of this side, as they are sent.
  struct Alpn {
    std::string list;
  };

  /// Those of now, which each handshake takes when it begins.
  struct Chosen_identities {
    std::mutex mutex;
    std::shared_ptr<const Identities> now;

    std::shared_ptr<const Identities> get() {
      const std::scoped_lock lock(mutex);
      return now;
    }
  };

  // Of TLS 1.2, those that keep past sessions secret and authenticate what they encrypt: all
  // clients of the last ten years have them.  This side's order counts, but between the first two
  // of each, which depend on what the client has hardware for.
  void choose_ciphers() {
    SSL_CTX_set_options(context_.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_strict_cipher_list(
        context_.get(),
        "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:ECDHE-ECDSA-AES256-GCM-"
        "SHA384:"
        "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:ECDHE-RSA-AES256-GCM-SHA384");
  }

  void choose_identities() {
    identities_ =
        &Owned_by_context<Chosen_identities>::add(*context_, std::make_unique<Chosen_identities>());
    set_identities(
        {.certificate_chain = options_.certificate_chain, .private_key = options_.private_key},
        options_.more_identities);
    SSL_CTX_set_cert_cb(
        context_.get(),
        [](SSL* ssl, void*) {
          const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
          const auto identities = Owned_by_context<Chosen_identities>::of(*ssl).get();
          return use(*ssl, identities->of(name ? name : "")) ? 1 : 0;
        },
        nullptr);
  }

  void ask_for_certificates() {
    switch (options_.client_certificates) {
      case Client_certificates::None:
        return;
      case Client_certificates::Request:
        verify_peer(*context_, SSL_VERIFY_PEER);
        break;
      case Client_certificates::Require:
        verify_peer(*context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        break;
    }
    use_trust(*context_, options_.trust);
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
  Ssl_ctx context_;
  Chosen_identities* identities_ = nullptr;  // the context's
};

}  // namespace
}  // namespace internal

std::shared_ptr<Server> server(Server_options options) {
  return std::make_shared<internal::Server_upgrade>(std::move(options));
}

}  // namespace async::Tls
