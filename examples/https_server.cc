// A small HTTP/1.1 server in TLS, which tells each client what their handshake has come to:
// https_server PORT CERT KEY [CLIENT_CA], all files in PEM. With CLIENT_CA it asks clients for a
// certificate that this one has signed, and tells them whose they have shown.
// Try it: curl -k https://localhost:PORT/ https://localhost:PORT/
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tcp/tcp.h"
#include "tcp/tls/tls.h"

using namespace async;
using namespace std::chrono_literals;

static constexpr std::size_t longest_line = 8 * 1024;
static constexpr std::size_t most_of_a_head = 32 * 1024;

struct Answer {
  int status;
  std::string body;
  std::vector<std::string> headers = {};
};

static std::string reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

static Answer refusal(int status) { return {.status = status, .body = reason(status) + "\n"}; }

// What is wrong with a request: it is answered with that status, and is the last one.
struct Refused : std::runtime_error {
  explicit Refused(int status) : std::runtime_error(reason(status)), status(status) {}
  int status;
};

struct Request {
  std::string method;
  std::string target;
  bool keeps_alive = false;
  bool has_body = false;
};

// ---- Reading requests.

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

// What methods and names of headers are made of.
static bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

static Request parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) throw Refused(400);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  Request request{.method = std::string(line.substr(0, first)), .target = std::string(target)};
  const bool is_printable =
      std::ranges::all_of(target, [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (!is_token(request.method) || target.empty() || !is_printable) throw Refused(400);
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') {
    throw Refused(400);
  }
  if (version[5] != '1') throw Refused(505);
  request.keeps_alive = version != "HTTP/1.0";
  return request;
}

static void parse_header(Request* request, int* hosts, std::string_view line) {
  const auto colon = line.find(':');
  // Neither a blank before the colon, nor a line that goes on with the one before it.
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) throw Refused(400);
  const std::string name = lower(line.substr(0, colon));
  const std::string value = lower(trimmed(line.substr(colon + 1)));
  const bool is_clean = std::ranges::all_of(
      value, [](unsigned char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
  if (!is_clean) throw Refused(400);
  if (name == "host") {
    ++*hosts;
  } else if (name == "connection") {
    for (std::string_view rest = value; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      const std::string_view one = trimmed(rest.substr(0, comma));
      if (one == "close") request->keeps_alive = false;
      if (one == "keep-alive") request->keeps_alive = true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  } else if (name == "transfer-encoding") {
    request->has_body = true;
  } else if (name == "content-length") {
    const bool is_number =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) throw Refused(400);
    if (value.find_first_not_of('0') != std::string::npos) request->has_body = true;
  }
}

// One line, or nothing at the end of the connection.
static Deferred<std::optional<std::string>> line_of(Reader reader, int status_if_too_long) {
  try {
    auto line = co_await reader.read_line(longest_line);
    if (line) co_return *line;
    co_return std::nullopt;
  } catch (const Limit_exceeded&) {
    throw Refused(status_if_too_long);
  }
}

// The head of the next request, or nothing if there is none.
static Deferred<std::optional<Request>> read_request(Reader reader) {
  auto line = co_await line_of(reader, 414);
  if (line && line->empty()) line = co_await line_of(reader, 414);  // RFC 9112, 2.2
  if (!line) co_return std::nullopt;
  Request request = parse_request_line(*line);
  const bool is_1_0 = !request.keeps_alive;
  int hosts = 0;
  for (std::size_t size = line->size();;) {
    line = co_await line_of(reader, 431);
    if (!line) co_return std::nullopt;  // it was cut off
    if (line->empty()) break;
    size += line->size();
    if (size > most_of_a_head) throw Refused(431);
    parse_header(&request, &hosts, *line);
  }
  if (hosts > 1 || (hosts == 0 && !is_1_0)) throw Refused(400);
  co_return request;
}

// ---- Answering them.

// What is between the host and the query: "/" of "https://localhost/?q".
static std::string path_of(const std::string& target) {
  std::string_view path = target;
  if (path.starts_with("https://")) {
    path.remove_prefix(8);
    path.remove_prefix(std::min(path.find_first_of("/?"), path.size()));
  }
  path = path.substr(0, path.find('?'));
  return path.empty() ? "/" : std::string(path);
}

static std::string tell(const Tls::Info& tls, const Address::Inet& from) {
  std::string text =
      std::string(tls.version == Tls::Version::Tls_1_3 ? "TLS 1.3" : "TLS 1.2") + "\n";
  text += "cipher: " + tls.cipher + "\n";
  text += "keys exchanged by: " + tls.group + "\n";
  text += "protocol: " + tls.alpn.value_or("none agreed upon") + "\n";
  text += "asked for: " + (tls.server_name.empty() ? "no name" : tls.server_name) + "\n";
  text += "resumed: " + std::string(tls.is_resumed ? "yes" : "no") + "\n";
  text +=
      "you are: " + (tls.peer ? tls.peer->subject : "anybody") + ", at " + to_string(from) + "\n";
  return text;
}

static Answer answer_to(const Request& request, const Writer& writer, const Address::Inet& from) {
  if (request.method != "GET" && request.method != "HEAD") {
    Answer answer = refusal(request.method == "CONNECT" || request.method == "TRACE" ? 501 : 405);
    if (answer.status == 405) answer.headers.emplace_back("Allow: GET, HEAD");
    return answer;
  }
  if (path_of(request.target) != "/") return refusal(404);
  return {.status = 200, .body = tell(Tls::info(writer).value(), from)};
}

static std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

static void send(const Writer& writer, const Answer& answer, bool with_body, bool keeps_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + reason(answer.status) +
                     "\r\nDate: " + date() + "\r\nContent-Type: text/plain; charset=utf-8" +
                     "\r\nX-Content-Type-Options: nosniff" +
                     "\r\nContent-Length: " + std::to_string(answer.body.size()) +
                     "\r\nConnection: " + (keeps_alive ? "keep-alive" : "close") + "\r\n";
  for (const std::string& header : answer.headers) head += header + "\r\n";
  writer.write(head + "\r\n" + (with_body ? answer.body : ""));
}

static Deferred<> serve(Address::Inet from, Reader reader, Writer writer) {
  std::optional<int> refused;
  try {
    while (auto request = co_await read_request(reader)) {
      // No request here needs a body, so none is read, and what follows it is never seen.
      const bool keeps_alive = request->keeps_alive && !request->has_body;
      send(writer, answer_to(*request, writer, from), request->method != "HEAD", keeps_alive);
      if (!keeps_alive) co_return;
      co_await writer.pushed_back();  // one who asks and does not read waits
    }
  } catch (const Refused& why) {
    refused = why.status;
  }
  if (refused) send(writer, refusal(*refused), true, false);
}

static Deferred<int> run(int port, Tls::Identity identity, std::optional<std::string> client_ca) {
  std::shared_ptr<const Tls::Server> tls;
  try {
    tls = Tls::server({.certificate_chain = identity.certificate_chain,
                       .private_key = identity.private_key,
                       .client_certificates = client_ca ? Tls::Client_certificates::Request
                                                        : Tls::Client_certificates::None,
                       .trust = client_ca ? Tls::Trust::roots(*client_ca) : Tls::Trust::system(),
                       .alpn = {"http/1.1", "http/1.0"}});
  } catch (const Tls::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return 1;
  }
  auto where = port == 0 ? Tcp::on_port_chosen_by_os() : Tcp::on_port(port);
  auto server = co_await Tcp::Server::create(
      where, {.tls = tls, .tls_timeout = 10s, .idle_timeout = 60s, .max_lifetime = 1h}, serve);
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();  // SIGINT or SIGTERM
  co_await server.close({.close_existing_connections = true});
  co_await server.close_finished_and_handlers_determined();
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: https_server PORT CERT KEY [CLIENT_CA]\n");
    return 2;
  }
  const Tls::Identity identity{.certificate_chain = argv[2], .private_key = argv[3]};
  const auto client_ca = argc == 5 ? std::optional<std::string>(argv[4]) : std::nullopt;
  return Scheduler::go_main([=] { return run(std::stoi(argv[1]), identity, client_ca); });
}
