#include "tcp/proxy/http_connect.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "async/coroutine.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/proxy/internal/proxy_peer.h"

namespace async::Tcp::Proxy::internal {

namespace {

using Tcp::internal::Handshake_io;

constexpr std::size_t longest_answer = 16 * 1024;
constexpr std::size_t longest_quote = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}
bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= group.size() ? digits[bits >> (18 - 6 * j) & 0x3f] : '=');
    }
  }
  return text;
}

/// What every request of a proxy has behind its first lines.
std::string headers_of(const Http_connect_options& options) {
  std::string headers;
  const auto add = [&headers](std::string_view name, std::string_view value) {
    headers.append(name).append(": ").append(value).append("\r\n");
  };
  if (!options.username.empty() || !options.password.empty()) {
    const bool is_sayable = options.username.find(':') == std::string::npos &&
                            !has_controls(options.username) && !has_controls(options.password);
    if (!is_sayable) {
      throw std::invalid_argument(
          "an HTTP username has no colon, and neither it nor the password a control character");
    }
    add("Proxy-Authorization", "Basic " + base64(options.username + ":" + options.password));
  }
  for (const auto& [name, value] : options.headers) {
    if (!is_token(name) || has_controls(value)) {
      throw std::invalid_argument(
          "not an HTTP header: its name is no token, or its value has a "
          "control character");
    }
    add(name, value);
  }
  return headers;
}

struct Status {
  int code;
  std::string line;  // fit for an error
};

// Such as "HTTP/1.1 200 Connection established".
std::optional<Status> parse_status_line(std::string_view line) {
  const bool is_one = line.size() >= 12 && line.starts_with("HTTP/1.") && is_digit(line[7]) &&
                      line[8] == ' ' && std::all_of(&line[9], &line[9] + 3, is_digit) &&
                      line[9] != '0' && (line.size() == 12 || line[12] == ' ');
  if (!is_one) return std::nullopt;
  std::string quote(line.substr(0, longest_quote));
  std::replace_if(quote.begin(), quote.end(), is_control, '?');
  return Status{.code = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'),
                .line = std::move(quote)};
}

class Http_connect final : public Route {
 public:
  Http_connect(Target proxy, Http_connect_options options)
      : proxy_("the HTTP proxy", std::move(proxy), std::move(options.via)),
        headers_(headers_of(options)) {}

  Deferred<std::unique_ptr<Transport>> reach(Target target, const Connect& connect,
                                             const Stop& stop) const override {
    return reach_by(std::move(target), &connect, &stop);
  }

 private:
  Deferred<std::unique_ptr<Transport>> reach_by(Target target, const Connect* connect,
                                                const Stop* stop) const;

  const Proxy_peer proxy_;
  const std::string headers_;
};

/// Reads the head of an answer, no more of it than may be.
class Answer {
 public:
  explicit Answer(Handshake_io& io) : io_(io) {}

  /// `read()` is determined with the final status, when all that belongs to it has been read.
  Deferred<Status> read() {
    for (;;) {
      const auto status = parse_status_line(co_await line());
      if (!status) io_.fail("does not answer in HTTP/1");
      while (!(co_await line()).empty()) {
      }
      constexpr int switching_protocols = 101;
      const bool is_provisional = status->code < 200 && status->code != switching_protocols;
      if (!is_provisional) co_return *status;
    }
  }

 private:
  Deferred<std::string> line() {
    std::string line = co_await io_.read_line(left_);
    left_ -= line.size();
    if (!line.ends_with('\n')) io_.fail("answers with more than 16 KiB");
    if (!line.ends_with("\r\n")) io_.fail("answers with a line that does not end in CR LF");
    line.resize(line.size() - 2);
    co_return line;
  }

  Handshake_io& io_;
  std::size_t left_ = longest_answer;
};

Deferred<std::unique_ptr<Transport>> Http_connect::reach_by(Target target, const Connect* connect,
                                                            const Stop* stop) const {
  const std::string authority =
      std::visit([](const auto& one) { return to_string(one); }, proxy_target(target));
  Handshake_io io(co_await proxy_.reach(connect, stop), *stop, proxy_.name());
  co_await io.write("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n" + headers_ +
                    "\r\n");
  const Status status = co_await Answer(io).read();
  constexpr int authentication_required = 407;
  if (status.code == authentication_required) {
    io.fail(headers_.find("Proxy-Authorization: ") == std::string::npos
                ? "wants a username and a password: " + status.line
                : "does not accept the username and password: " + status.line);
  }
  if (status.code < 200 || status.code > 299) {
    io.fail("does not connect to " + authority + ": " + status.line);
  }
  co_return io.finish();
}

}  // namespace

std::shared_ptr<const Route> http_connect(Target proxy, Http_connect_options options) {
  return std::make_shared<const Http_connect>(std::move(proxy), std::move(options));
}

}  // namespace async::Tcp::Proxy::internal
