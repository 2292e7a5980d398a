#include "tcp/proxy/proxy_protocol.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "async/coroutine.h"
#include "async/internal/keep.h"
#include "async/io/transport_layer.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/proxy/internal/proxy_header.h"

namespace async::Tcp::Proxy_protocol {

namespace {

using Tcp::internal::Handshake_io;

/// A connection that somebody else has accepted.
class Announced_transport final : public Transport_layer {
 public:
  Announced_transport(std::unique_ptr<Transport> below, Ends ends)
      : Transport_layer(std::move(below)), ends_(std::move(ends)) {}

  std::expected<Address::Any, std::error_code> local_address() const override {
    return ends_.destination;
  }
  std::expected<Address::Any, std::error_code> remote_address() const override {
    return ends_.source;
  }

 private:
  const Ends ends_;
};

/// What a connection begins with.
enum class Beginning : unsigned char { Undecided, V1, V2, Something_else };

Beginning beginning_of(std::string_view bytes) {
  for (const auto& [signature, which] : {std::pair(internal::v1_signature, Beginning::V1),
                                         std::pair(internal::v2_signature, Beginning::V2)}) {
    if (bytes.starts_with(signature)) return which;
    if (signature.starts_with(bytes)) return Beginning::Undecided;
  }
  return Beginning::Something_else;
}

class Accept final : public Upgrade {
 public:
  explicit Accept(Accept_options options) : options_(std::move(options)) {}

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                               std::string /*peer*/,
                                               const Stop& stop) const override {
    return read_header(std::move(transport), &stop);
  }

 private:
  bool is_trusted(const Transport& transport) const;
  Deferred<std::unique_ptr<Transport>> read_header(std::unique_ptr<Transport> transport,
                                                   const Stop* stop) const;

  const Accept_options options_;
};

bool Accept::is_trusted(const Transport& transport) const {
  const auto remote = transport.remote_address();
  if (!remote) return false;
  const auto* inet = std::get_if<Address::Inet>(&*remote);
  return !inet || std::any_of(options_.trusted.begin(), options_.trusted.end(),
                              [&](const Cidr& range) { return range.does_match(inet->addr()); });
}

// Headers of both versions are longer than the longest signature, so nothing behind one is read.
Deferred<Beginning> read_beginning(Handshake_io* io) {
  for (;;) {
    const Beginning beginning = beginning_of(io->buffered());
    if (beginning != Beginning::Undecided) co_return beginning;
    const std::size_t most = internal::v2_signature.size() - io->buffered().size();
    if (!co_await io->read_more(most)) co_return Beginning::Something_else;
  }
}

Deferred<internal::Said> read_v2(Handshake_io* io) {
  std::string header = co_await io->read(internal::v2_fixed_size);
  header += co_await io->read(internal::v2_length_of_rest(header));
  co_return internal::parse_v2(header);
}

Deferred<std::unique_ptr<Transport>> Accept::read_header(std::unique_ptr<Transport> transport,
                                                         const Stop* stop) const {
  const bool trusts = is_trusted(*transport);
  Handshake_io io(std::move(transport), *stop, "the client");
  if (options_.required && !trusts) io.fail("is not trusted to send a PROXY header");
  const Beginning beginning = co_await read_beginning(&io);
  if (beginning == Beginning::Something_else) {
    if (options_.required) io.fail("did not begin with a PROXY header");
    co_return io.finish();
  }
  if (!trusts) io.fail("sent a PROXY header, but is not trusted to");
  internal::Said said;
  if (beginning == Beginning::V1) {
    said = internal::parse_v1(co_await io.read_line(internal::v1_longest));
  } else {
    said = co_await read_v2(&io);
  }
  transport = io.finish();
  if (!said) co_return std::move(transport);
  co_return std::make_unique<Announced_transport>(std::move(transport), std::move(*said));
}

class Send final : public Route {
 public:
  explicit Send(Send_options options) : options_(std::move(options)) {}

  Deferred<std::unique_ptr<Transport>> reach(Target target, const Connect& connect,
                                             const Stop& stop) const override {
    return send_header(std::move(target), &connect, &stop);
  }

 private:
  Deferred<std::unique_ptr<Transport>> send_header(Target target, const Connect* connect,
                                                   const Stop* stop) const;

  const Send_options options_;
};

internal::Said own_ends(const Transport& transport) {
  auto source = transport.local_address();
  auto destination = transport.remote_address();
  if (!source || !destination) return std::nullopt;
  return Ends{.source = std::move(*source), .destination = std::move(*destination)};
}

Deferred<std::unique_ptr<Transport>> Send::send_header(Target target, const Connect* connect,
                                                       const Stop* stop) const {
  auto transport = co_await async::internal::call([&] {
    return options_.via ? options_.via->reach(target, *connect, *stop) : (*connect)(target);
  });
  if (!transport) throw std::runtime_error("there is no connection");
  const internal::Said said = options_.client ? options_.client : own_ends(*transport);
  Handshake_io io(std::move(transport), *stop, to_string(target));
  co_await io.write(options_.version == Version::V1 ? internal::format_v1(said)
                                                    : internal::format_v2(said));
  co_return io.finish();
}

}  // namespace

std::shared_ptr<const Upgrade> accept(Accept_options options) {
  return std::make_shared<const Accept>(std::move(options));
}

std::shared_ptr<const Route> send(Send_options options) {
  return std::make_shared<const Send>(std::move(options));
}

}  // namespace async::Tcp::Proxy_protocol
