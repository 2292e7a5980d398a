#include "tcp/proxy/socks5.h"

#include <array>
#include <expected>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "async/coroutine.h"
#include "async/io/network.h"
#include "tcp/connect_error.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/proxy/internal/proxy_peer.h"

namespace async::Tcp::Proxy::internal {

namespace {

using Tcp::internal::Handshake_io;

constexpr char version = 5;
constexpr char version_of_authentication = 1;
constexpr char connect_command = 1;
constexpr std::size_t longest_credential = 255;

enum class Method : unsigned char { None = 0, Username_and_password = 2, Unacceptable = 0xff };
enum class Address_type : unsigned char { V4 = 1, Name = 3, V6 = 4 };

std::string describe_reply(unsigned char reply) {
  constexpr std::array<std::string_view, 9> names = {"",
                                                     "the proxy has failed",
                                                     "its rules do not allow that",
                                                     "the network is unreachable",
                                                     "the host is unreachable",
                                                     "the connection was refused",
                                                     "the time to live has expired",
                                                     "it does not know that command",
                                                     "it does not know that type of address"};
  if (reply < names.size()) return std::string(names[reply]);
  return "unknown reply " + std::to_string(reply);
}

void append_port(std::string& bytes, int port) {
  bytes.push_back(static_cast<char>(port >> 8));
  bytes.push_back(static_cast<char>(port & 0xff));
}

void append(std::string& bytes, const Address::Inet& address) {
  const bool is_v4 = address.addr().version() == Ip_version::V4;
  bytes.push_back(static_cast<char>(is_v4 ? Address_type::V4 : Address_type::V6));
  const auto& all = address.addr().bytes();
  bytes.append(all.begin(), all.begin() + (is_v4 ? 4 : 16));
  append_port(bytes, address.port());
}

void append(std::string& bytes, const Host_and_port& name) {
  bytes.push_back(static_cast<char>(Address_type::Name));
  bytes.push_back(static_cast<char>(name.host.size()));
  bytes += name.host;
  append_port(bytes, name.port);
}

unsigned char byte_at(const std::string& bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

class Socks5 final : public Route {
 public:
  Socks5(Target proxy, Socks5_options options)
      : proxy_("the SOCKS5 proxy", std::move(proxy), std::move(options.via)),
        username_(std::move(options.username)),
        password_(std::move(options.password)),
        resolve_(options.resolve) {
    if (username_.empty() != password_.empty() || username_.size() > longest_credential ||
        password_.size() > longest_credential) {
      throw std::invalid_argument("a SOCKS5 username and password have 1 to 255 bytes each");
    }
  }

  Deferred<std::unique_ptr<Transport>> reach(Target target, const Connect& connect,
                                             const Stop& stop) const override {
    return reach_by(std::move(target), &connect, &stop);
  }

 private:
  using Refused = std::string;
  using Asked = std::expected<std::unique_ptr<Transport>, Refused>;

  Deferred<std::unique_ptr<Transport>> reach_by(Target target, const Connect* connect,
                                                const Stop* stop) const;
  Deferred<Asked> ask(Proxy_target target, const Connect* connect, const Stop* stop) const;
  Deferred<> authenticate(Handshake_io* io) const;
  static Deferred<> read_bound_address(Handshake_io* io);

  const Proxy_peer proxy_;
  const std::string username_;
  const std::string password_;
  const Resolve resolve_;
};

Deferred<std::vector<Proxy_target>> look_up(Host_and_port name, const Stop* stop) {
  const auto found = co_await stop->wait(or_error(Network::current().resolve(name.host)));
  if (!found) throw std::runtime_error("looking up the name took too long, or was interrupted");
  std::string reason = "the name has no address";
  std::vector<Proxy_target> addresses;
  if (*found) {
    for (const Inet_addr& addr : **found) addresses.emplace_back(Address::Inet(addr, name.port));
  } else {
    reason = found->error().what();
  }
  if (addresses.empty()) {
    throw Connect_error(Connect_error::Kind::Name_resolution, to_string(name), reason, {});
  }
  co_return addresses;
}

Deferred<std::unique_ptr<Transport>> Socks5::reach_by(Target target, const Connect* connect,
                                                      const Stop* stop) const {
  std::vector<Proxy_target> to_try = {proxy_target(target)};
  const auto* name = std::get_if<Host_and_port>(&to_try.front());
  if (name && resolve_ == Resolve::Here) to_try = co_await look_up(*name, stop);
  Refused why;
  for (const Proxy_target& one : to_try) {
    Asked asked = co_await ask(one, connect, stop);
    if (asked) co_return std::move(*asked);
    why = asked.error();
  }
  throw std::runtime_error(why);
}

// Refused is what is said of the target; whatever else goes wrong would go wrong for any.
Deferred<Socks5::Asked> Socks5::ask(Proxy_target target, const Connect* connect,
                                    const Stop* stop) const {
  Handshake_io io(co_await proxy_.reach(connect, stop), *stop, proxy_.name());
  co_await authenticate(&io);
  std::string request = {version, connect_command, 0};
  std::visit([&request](const auto& one) { append(request, one); }, target);
  co_await io.write(request);
  const std::string reply = co_await io.read(2);
  if (reply[0] != version) io.fail("answers in another protocol");
  if (reply[1] != 0) {
    co_return std::unexpected(io.peer() + " cannot connect to " +
                              std::visit([](const auto& one) { return to_string(one); }, target) +
                              ": " + describe_reply(byte_at(reply, 1)));
  }
  co_await read_bound_address(&io);
  co_return io.finish();
}

Deferred<> Socks5::authenticate(Handshake_io* io) const {
  std::string greeting = {version, 1, static_cast<char>(Method::None)};
  if (!username_.empty()) {
    greeting[1] = 2;
    greeting.push_back(static_cast<char>(Method::Username_and_password));
  }
  co_await io->write(greeting);
  const std::string choice = co_await io->read(2);
  if (choice[0] != version) io->fail("answers in another protocol");
  const auto method = static_cast<Method>(byte_at(choice, 1));
  if (method == Method::None) co_return;
  if (method == Method::Unacceptable) {
    io->fail(username_.empty() ? "does not serve without authentication"
                               : "takes neither a username and password nor nobody");
  }
  if (method != Method::Username_and_password || username_.empty()) {
    io->fail("chose a method of authentication that it was not offered");
  }
  std::string credentials = {version_of_authentication};
  for (const std::string* one : {&username_, &password_}) {
    credentials.push_back(static_cast<char>(one->size()));
    credentials += *one;
  }
  co_await io->write(credentials);
  const std::string verdict = co_await io->read(2);
  if (verdict[0] != version_of_authentication) io->fail("answers in another protocol");
  if (verdict[1] != 0) io->fail("does not accept the username and password");
}

// Where the proxy connected from is of no interest, but has to be got out of the way.
Deferred<> Socks5::read_bound_address(Handshake_io* io) {
  constexpr std::size_t port = 2;
  const std::string reserved_and_type = co_await io->read(2);
  switch (static_cast<Address_type>(byte_at(reserved_and_type, 1))) {
    case Address_type::V4:
      static_cast<void>(co_await io->read(4 + port));
      break;
    case Address_type::V6:
      static_cast<void>(co_await io->read(16 + port));
      break;
    case Address_type::Name: {
      const std::string length = co_await io->read(1);
      static_cast<void>(co_await io->read(byte_at(length, 0) + port));
      break;
    }
    default:
      io->fail("answers with an unknown type of address");
  }
}

}  // namespace

std::shared_ptr<const Route> socks5(Target proxy, Socks5_options options) {
  return std::make_shared<const Socks5>(std::move(proxy), std::move(options));
}

}  // namespace async::Tcp::Proxy::internal
