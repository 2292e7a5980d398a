// Prints what is at an address: https_get URL [--ca FILE], such as https_get https://example.com/
// Without --ca, those who may have signed the server's certificate are the roots of the machine.
// What to look at: that a body is whole is never taken for granted, and of what goes wrong the
// error says what, with whom, and why.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "tcp/tcp.h"
#include "tcp/tls/tls.h"

using namespace async;
using namespace std::chrono_literals;

struct Url {
  std::string host;
  int port = 443;
  std::string target;
};

template <class Number>
static std::optional<Number> number(std::string_view text, int base = 10) {
  Number result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result, base);
  const bool is_all = error == std::errc() && end == text.data() + text.size();
  // from_chars takes a minus sign.
  return is_all && text[0] != '-' ? std::optional(result) : std::nullopt;
}

// https://host[:port][/path][?query], where the host may be an IPv6 address in brackets.
static Url parse_url(std::string_view text) {
  const auto refuse = [text](const char* why) {
    return std::invalid_argument("\"" + std::string(text) + "\" " + why);
  };
  constexpr std::string_view scheme = "https://";
  if (!text.starts_with(scheme)) throw refuse("does not begin with https://");
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    throw refuse("has blanks or control characters in it");
  }
  std::string_view rest = text.substr(scheme.size());
  rest = rest.substr(0, rest.find('#'));  // which is not the server's business
  const auto end_of_host = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view host = rest.substr(0, end_of_host);
  Url url;
  url.target = rest.substr(end_of_host);
  if (!url.target.starts_with('/')) url.target = "/" + url.target;
  if (host.contains('@')) throw refuse("has a user in it, which is not supported");
  std::string_view port;
  if (host.starts_with('[')) {
    const auto bracket = host.find(']');
    if (bracket == std::string_view::npos) throw refuse("has no ] after its [");
    port = host.substr(bracket + 1);
    url.host = host.substr(1, bracket - 1);
    if (!Inet_addr::parse(url.host)) throw refuse("has no IPv6 address in its brackets");
  } else {
    const auto colon = std::min(host.find(':'), host.size());
    port = host.substr(colon);
    url.host = host.substr(0, colon);
  }
  if (url.host.empty()) throw refuse("has no host");
  if (!port.empty() && port != ":") {
    const auto parsed = port[0] == ':' ? number<std::uint16_t>(port.substr(1)) : std::nullopt;
    if (!parsed || *parsed == 0) throw refuse("has no proper port");
    url.port = *parsed;
  }
  return url;
}

// As in a Host header.
static std::string authority(const Url& url) {
  const std::string host = url.host.contains(':') ? "[" + url.host + "]" : url.host;
  return url.port == 443 ? host : host + ":" + std::to_string(url.port);
}

static std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

static std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

[[noreturn]] static void fail(const std::string& what) { throw std::runtime_error(what); }

static Deferred<std::string> line_of(Reader reader) {
  auto line = co_await reader.read_line(16 * 1024);
  if (!line) {
    fail("the answer was cut off: its end is " + std::string(to_string(line.error().reason)));
  }
  co_return *line;
}

struct Head {
  int status = 0;
  std::string status_line;
  bool is_chunked = false;
  std::optional<std::uint64_t> length;
};

static void add_header(Head* head, std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) fail("this is no header: " + std::string(line));
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "transfer-encoding") {
    if (head->is_chunked || lower(value) != "chunked") {
      fail("the body has an encoding that is not understood: " + std::string(value));
    }
    head->is_chunked = true;
  } else if (name == "content-length") {
    const auto length = number<std::uint64_t>(value);
    if (!length || (head->length && head->length != length)) {
      fail("the length of the body is not understood: " + std::string(value));
    }
    head->length = length;
  }
}

static Deferred<Head> read_head(Reader reader) {
  Head head;
  head.status_line = co_await line_of(reader);
  // "HTTP/1.1 200 OK", the last part of which may be missing.
  const std::string_view line = head.status_line;
  const auto status = line.size() >= 12 ? number<int>(line.substr(9, 3)) : std::nullopt;
  if (!line.starts_with("HTTP/1.") || !status || *status < 100 || line[8] != ' ' ||
      (line.size() > 12 && line[12] != ' ')) {
    fail("this is no HTTP: " + head.status_line.substr(0, 80));
  }
  head.status = *status;
  for (int n = 0;; ++n) {
    const std::string header = co_await line_of(reader);
    if (header.empty()) co_return head;
    if (n == 200) fail("too many headers");
    add_header(&head, header);
  }
}

static void print(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) {
    throw std::system_error(errno, std::generic_category(), "cannot write the body");
  }
}

static Deferred<> print_exactly(Reader reader, std::uint64_t size) {
  for (std::uint64_t left = size; left > 0;) {
    auto part = co_await reader.read(std::min<std::uint64_t>(left, 64 * 1024));
    if (!part) {
      fail("the body was cut off, " + std::to_string(left) + " of " + std::to_string(size) +
           " bytes before its end");
    }
    print(*part);
    left -= part->size();
  }
}

static Deferred<> print_chunks(Reader reader) {
  for (;;) {
    const std::string line = co_await line_of(reader);  // such as "1f;name=value"
    const auto size = number<std::uint64_t>(trimmed(line.substr(0, line.find(';'))), 16);
    if (!size) fail("this is no size of a chunk: " + line.substr(0, 80));
    if (*size == 0) break;
    co_await print_exactly(reader, *size);
    if (!(co_await line_of(reader)).empty()) fail("a chunk is longer than it says");
  }
  while (!(co_await line_of(reader)).empty()) {
  }  // trailers
}

// Nothing says how long it is: its end is that of the connection.  Without TLS's own end anybody
// could have made that, and reading it fails.
static Deferred<> print_to_the_end(Reader reader) {
  for (;;) {
    auto part = co_await reader.read_chunk();
    if (!part) {
      if (part.error().reason == Eof::Reason::Clean) co_return;
      fail("the body was cut off: its end is " + std::string(to_string(part.error().reason)));
    }
    print(*part);
  }
}

static Deferred<> get(Url url, Reader reader, Writer writer) {
  writer.write("GET " + url.target + " HTTP/1.1\r\nHost: " + authority(url) +
               "\r\nUser-Agent: https_get\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  Head head = co_await read_head(reader);
  while (head.status < 200) {  // it is to come yet
    if (head.status == 101) fail("the server goes over to another protocol");
    head = co_await read_head(reader);
  }
  if (head.status >= 300) fail("the server answers " + head.status_line);
  if (head.status == 204) co_return;
  if (head.is_chunked) {
    co_await print_chunks(reader);
  } else if (head.length) {
    co_await print_exactly(reader, *head.length);
  } else {
    co_await print_to_the_end(reader);
  }
}

static Deferred<int> run(std::string text, std::optional<std::string> ca) {
  try {
    const Url url = parse_url(text);
    const auto trust = ca ? Tls::Trust::roots(*ca) : Tls::Trust::system();
    co_await Tcp::with_connection(
        Tcp::to_host_and_port(url.host, url.port),
        {.timeout = 20s,
         .tls = Tls::client({.trust = trust, .alpn = {"http/1.1"}}),
         .idle_timeout = 60s},
        [&](auto /*socket*/, Reader reader, Writer writer) { return get(url, reader, writer); });
    if (std::fflush(stdout) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot write the body");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "https_get: %s\n", error.what());
    co_return 1;
  }
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 2 && (argc != 4 || std::string_view(argv[2]) != "--ca")) {
    std::fprintf(stderr, "usage: https_get URL [--ca FILE]\n");
    return 2;
  }
  const auto ca = argc == 4 ? std::optional<std::string>(argv[3]) : std::nullopt;
  return Scheduler::go_main([=] { return run(argv[1], ca); });
}
