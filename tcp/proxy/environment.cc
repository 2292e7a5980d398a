#include "tcp/proxy/environment.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "tcp/proxy/http_connect.h"
#include "tcp/proxy/internal/no_proxy.h"
#include "tcp/proxy/socks5.h"

namespace async::Tcp::Proxy {

namespace {

constexpr int port_of_http = 80;
constexpr int port_of_https = 443;
constexpr int port_of_socks = 1080;

// Errors do not quote what they complain of: it may be a password.
std::string percent_decoded(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    if (text[0] != '%') {
      result.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    std::uint8_t byte = 0;
    const std::string_view digits = text.substr(1, 2);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, byte, 16);
    if (digits.size() != 2 || error != std::errc() || stop != end) {
      throw std::invalid_argument("a % in the URL of a proxy is not followed by two digits");
    }
    result.push_back(static_cast<char>(byte));
    text.remove_prefix(3);
  }
  return result;
}

struct Url {
  std::string scheme = "http";
  std::string username = {};
  std::string password = {};
  std::string host = {};
  std::optional<int> port = {};
};

Url parse_url(std::string_view text) {
  Url url;
  if (const auto end = text.find("://"); end != std::string_view::npos) {
    url.scheme = text.substr(0, end);
    text.remove_prefix(end + 3);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = text.substr(0, at);
    const std::size_t colon = std::min(user.find(':'), user.size());
    url.username = percent_decoded(user.substr(0, colon));
    url.password = percent_decoded(user.substr(std::min(colon + 1, user.size())));
    text.remove_prefix(at + 1);
  }
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    url.port = internal::parse_port(text.substr(colon + 1));
    if (!url.port) throw std::invalid_argument("the URL of a proxy has no port behind its colon");
    host = text.substr(0, colon);
  }
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const bool is_host =
      in_brackets ? Inet_addr::parse(host).has_value()
                  : !host.empty() && host.find_first_of("/:?#[]@% ") == std::string_view::npos;
  if (!is_host) throw std::invalid_argument("the URL of a proxy has no host, or more than a host");
  url.host = host;
  return url;
}

/// What each variable of an environment came to.
class From_environment final : public Route {
 public:
  explicit From_environment(const Environment& environment)
      : all_(route(environment, {"all_proxy", "ALL_PROXY"})),
        http_(route(environment, {"http_proxy"})),
        https_(route(environment, {"https_proxy", "HTTPS_PROXY"})),
        directly_(no_proxy(environment)) {}

  Deferred<std::unique_ptr<Transport>> reach(Target target, const Connect& connect,
                                             const Stop& stop) const override {
    const Route* const by = directly_.contains(target) ? nullptr : route_to(target);
    return by ? by->reach(std::move(target), connect, stop) : connect(std::move(target));
  }

 private:
  /// The names of one variable, the first of which counts that is there.
  using Names = std::initializer_list<const char*>;

  /// `use(value)` is called for the variable, if it is there.
  template <class F>
  static auto read(const Environment& environment, Names names, F use)
      -> std::invoke_result_t<F, std::string> {
    for (const char* name : names) {
      const std::optional<std::string> value = environment(name);
      if (!value || value->empty()) continue;
      try {
        return use(*value);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string("the environment variable ") + name + ": " +
                                    error.what());
      }
    }
    return use(std::string());
  }
  static std::shared_ptr<const Route> route(const Environment& environment, Names names) {
    return read(environment, names,
                [](const std::string& url) { return url.empty() ? nullptr : of_url(url); });
  }
  static internal::No_proxy no_proxy(const Environment& environment) {
    return read(environment, {"no_proxy", "NO_PROXY"},
                [](const std::string& text) { return internal::No_proxy(text); });
  }

  const Route* route_to(const Target& target) const {
    const auto* address = std::get_if<Address::Inet>(&target);
    const int port = address ? address->port() : std::get<Host_and_port>(target).port;
    if (port == port_of_http && http_) return http_.get();
    if (port == port_of_https && https_) return https_.get();
    return all_.get();
  }

  const std::shared_ptr<const Route> all_;
  const std::shared_ptr<const Route> http_;
  const std::shared_ptr<const Route> https_;
  const internal::No_proxy directly_;
};

}  // namespace

std::shared_ptr<const Route> of_url(std::string_view url, std::shared_ptr<const Route> via) {
  const Url parsed = parse_url(url);
  const auto where = [&parsed](int default_port) {
    return to_host_and_port(parsed.host, parsed.port.value_or(default_port));
  };
  if (parsed.scheme == "http") {
    return http_connect(where(port_of_http), {.username = parsed.username,
                                              .password = parsed.password,
                                              .headers = {},
                                              .via = std::move(via)});
  }
  if (parsed.scheme == "socks5" || parsed.scheme == "socks5h") {
    return socks5(where(port_of_socks),
                  {.username = parsed.username,
                   .password = parsed.password,
                   .resolve = parsed.scheme == "socks5" ? Resolve::Here : Resolve::By_proxy,
                   .via = std::move(via)});
  }
  throw std::invalid_argument("the URL of a proxy begins with http://, socks5:// or socks5h://");
}

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::shared_ptr<const Route> from_environment(const Environment& environment) {
  return std::make_shared<const From_environment>(environment);
}

}  // namespace async::Tcp::Proxy
