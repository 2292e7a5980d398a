// Sends a message by SMTP: starttls_smtp_client HOST:PORT [--ca FILE] FROM TO < MESSAGE
// Shows Tls::start_tls, on a connection that begins without TLS. What to look at: a server that
// does not offer it gets neither addresses nor message, for whoever is in between could have taken
// the offer out; and what the server has said before TLS counts for nothing afterwards.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tcp/tcp.h"
#include "tcp/tls/tls.h"

using namespace async;
using namespace std::chrono_literals;

[[noreturn]] static void fail(const std::string& what) { throw std::runtime_error(what); }

struct Reply {
  int code = 0;
  std::vector<std::string> lines;  // without the code

  std::string text() const {
    return std::to_string(code) + " " + (lines.empty() ? "" : lines.back());
  }
};

// One or more lines: "250-this", "250-and that", "250 and the last one".
static Deferred<Reply> read_reply(Reader reader) {
  Reply reply;
  for (;;) {
    auto line = co_await reader.read_line(2000);
    if (!line) fail("the server hung up: " + std::string(to_string(line.error().reason)));
    const std::string_view text = *line;
    const bool has_code = text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && text[1] >= '0' &&
                          text[1] <= '9' && text[2] >= '0' && text[2] <= '9';
    if (!has_code || (text.size() > 3 && text[3] != ' ' && text[3] != '-')) {
      fail("this is no SMTP: " + line->substr(0, 80));
    }
    const int code = std::stoi(line->substr(0, 3));
    if (!reply.lines.empty() && code != reply.code) fail("a reply has two codes");
    if (reply.lines.size() == 100) fail("a reply is too long");
    reply.code = code;
    reply.lines.emplace_back(text.substr(std::min<std::size_t>(text.size(), 4)));
    if (text.size() == 3 || text[3] == ' ') co_return reply;
  }
}

static Deferred<Reply> expect(Reader reader, int code, std::string after) {
  Reply reply = co_await read_reply(reader);
  if (reply.code != code) fail("after " + after + " the server says: " + reply.text());
  co_return reply;
}

static Deferred<Reply> ask(Reader reader, Writer writer, std::string command, int code) {
  writer.write_line(command, Line_ending::Dos);
  co_return co_await expect(reader, code, command);
}

// Whether one of the lines of the answer to EHLO, all but the first, begins with that word.
static bool offers(const Reply& reply, std::string_view wanted) {
  for (std::size_t n = 1; n < reply.lines.size(); ++n) {
    std::string word = reply.lines[n].substr(0, reply.lines[n].find(' '));
    for (char& c : word) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    if (word == wanted) return true;
  }
  return false;
}

// Lines end with CR LF, one that begins with a dot gets another one, and a dot alone is the end.  A
// CR alone is not passed on: servers that took it for the end of a line could be made to see
// another message in this one.
static std::string wire_form(std::string_view message) {
  std::string result;
  while (!message.empty()) {
    const auto end = message.find('\n');
    std::string_view line = message.substr(0, end);
    message = end == std::string_view::npos ? "" : message.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.contains('\r')) fail("a line of the message has a CR within");
    if (line.size() > 998) fail("a line of the message is longer than 998 bytes");
    if (line.starts_with('.')) result += '.';
    result.append(line).append("\r\n");
  }
  return result + ".\r\n";
}

struct Mail {
  std::string from;
  std::string to;
  std::string message;
};

static Deferred<> send(Mail mail, std::string host, Tls::Trust trust, Reader reader,
                       Writer writer) {
  co_await expect(reader, 220, "connecting");
  const std::string hello = "EHLO [127.0.0.1]";
  if (!offers(co_await ask(reader, writer, hello, 250), "STARTTLS")) {
    fail("the server does not offer STARTTLS, and without it nothing is sent");
  }
  co_await ask(reader, writer, "STARTTLS", 220);
  const auto tls = co_await Tls::start_tls(writer, Tls::client({.trust = trust}),
                                           {.peer = host, .timeout = 20s});
  if (!tls) {
    // Such as not_ready, when more came than the answer: somebody tries to have it taken for
    // something that came encrypted.
    fail("TLS was not started: " + std::string(to_string(tls.error())));
  }

  const Reply offer = co_await ask(reader, writer, hello, 250);
  const bool is_ascii = std::ranges::all_of(mail.message, [](unsigned char c) { return c < 0x80; });
  if (!is_ascii && !offers(offer, "8BITMIME")) fail("the server only takes messages in ASCII");
  co_await ask(reader, writer, "MAIL FROM:<" + mail.from + ">" + (is_ascii ? "" : " BODY=8BITMIME"),
               250);
  co_await ask(reader, writer, "RCPT TO:<" + mail.to + ">", 250);
  co_await ask(reader, writer, "DATA", 354);
  writer.write(wire_form(mail.message));
  const Reply accepted = co_await expect(reader, 250, "the message");
  std::printf("sent by %s: %s\n", tls->cipher.c_str(), accepted.text().c_str());
  co_await ask(reader, writer, "QUIT", 221);
}

static Deferred<int> run(std::string host, int port, Tls::Trust trust, Mail mail) {
  try {
    // Standard input blocks, so it is read in a thread.
    mail.message = co_await In_thread::run(
        [] { return std::string(std::istreambuf_iterator<char>(std::cin), {}); });
    static_cast<void>(wire_form(mail.message));  // before anybody is asked to take it
    co_await Tcp::with_connection(Tcp::to_host_and_port(host, port),
                                  {.timeout = 20s, .idle_timeout = 5min},
                                  [&](auto /*socket*/, Reader reader, Writer writer) {
                                    return send(mail, host, trust, reader, writer);
                                  });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "starttls_smtp_client: %s\n", error.what());
    co_return 1;
  }
  co_return 0;
}

// What would end a command, or an address, is in none.
static bool is_address(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '<' && c != '>';
  });
}

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto trust = Tls::Trust::system();
  if (arguments.size() == 5 && arguments[1] == "--ca") {
    trust = Tls::Trust::roots(arguments[2]);
    arguments.erase(arguments.begin() + 1, arguments.begin() + 3);
  }
  const auto colon = arguments.empty() ? std::string::npos : arguments[0].rfind(':');
  if (arguments.size() != 3 || colon == std::string::npos || !is_address(arguments[1]) ||
      !is_address(arguments[2])) {
    std::fprintf(stderr, "usage: starttls_smtp_client HOST:PORT [--ca FILE] FROM TO < MESSAGE\n");
    return 2;
  }
  std::string host = arguments[0].substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const Mail mail{.from = arguments[1], .to = arguments[2], .message = ""};
  return Scheduler::go_main(
      [=] { return run(host, std::stoi(arguments[0].substr(colon + 1)), trust, mail); });
}
