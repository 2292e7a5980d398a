// Our client and nginx, and nginx in front of our server.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/tls/peers.h"

namespace async {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Tls::Version;

/// A socket that listens on a port of this machine, chosen by the system.
class Listening_socket {
 public:
  Listening_socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (fd_ < 0 || bind(fd_, generic, size) != 0 || listen(fd_, 100) != 0 ||
        getsockname(fd_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
  }
  Listening_socket(const Listening_socket&) = delete;
  Listening_socket& operator=(const Listening_socket&) = delete;
  ~Listening_socket() { close(fd_); }

  int fd() const noexcept { return fd_; }
  int port() const noexcept { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

/// nginx with one server, which has the certificate `server`, the files in `folder`, and `settings`
/// besides.
class Nginx {
 public:
  explicit Nginx(const std::string& settings, const std::string& tls = "ssl")
      : program_(start(folder_, settings, tls, port_)) {}

  auto at() const { return Tcp::to_host_and_port("localhost", port_); }
  void put(const std::string& name, const std::string& content) const {
    std::ofstream(folder_.file(name)) << content;
  }
  void kill() const { program_.kill(); }

 private:
  static Program start(const Temporary_folder& folder, const std::string& settings,
                       const std::string& tls, int& port) {
    // It listens before nginx has begun, which takes it over as from another nginx: so nobody has
    // to wait, and nobody else can have the port.
    const Listening_socket listening;
    port = listening.port();
    const auto& all = Certificates::get();
    std::ofstream(folder.file("nginx.conf"))
        << (getuid() == 0 ? "user root;\n" : "") << "daemon off; worker_processes 1; pid "
        << folder.file("pid") << "; error_log stderr;\n"
        << "events { worker_connections 100; }\n"
        << "http { access_log off; root " << folder.file("") << ";\n"
        << "client_body_temp_path " << folder.file("body") << "; proxy_temp_path "
        << folder.file("proxy") << "; fastcgi_temp_path " << folder.file("fastcgi")
        << "; uwsgi_temp_path " << folder.file("uwsgi") << "; scgi_temp_path "
        << folder.file("scgi") << ";\n"
        << "server { listen 127.0.0.1:" << port << " " << tls << ";\n"
        << "ssl_certificate " << all.chain("server").string() << "; ssl_certificate_key "
        << all.key("server").string() << ";\n"
        << settings << "\n} }\n";
    return Program(
        {"nginx", "-p", folder.file(""), "-c", folder.file("nginx.conf"), "-e", "stderr"},
        {.descriptor_3 = listening.fd(), .environment = {"NGINX=3;"}});
  }

  Temporary_folder folder_;
  int port_ = 0;
  Program program_;
};

struct Answer {
  std::string head;
  std::string body;
  std::optional<Tls::Info> info = {};
};

/// What comes back for `path`, up to an end in order.
template <class A>
Deferred<Answer> get(Tcp::Where_to_connect<A> where, std::shared_ptr<const Tcp::Upgrade> tls,
                     std::string path) {
  return Tcp::with_connection(
      std::move(where), {.tls = std::move(tls)},
      [path](auto, Reader reader, Writer writer) -> Deferred<Answer> {
        writer.write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        const std::string all = co_await reader.contents();
        const std::size_t end = all.find("\r\n\r\n");
        EXPECT_NE(end, std::string::npos) << all;
        if (end == std::string::npos) co_return Answer();
        co_return Answer{
            .head = all.substr(0, end), .body = all.substr(end + 4), .info = Tls::info(writer)};
      });
}

TEST(Nginx, serves_a_large_file_to_the_byte_and_ends_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string version : {"1.2", "1.3"}) {
      const Nginx nginx("ssl_protocols TLSv" + version + ";");
      const std::string large = large_text(5'000'000);
      nginx.put("large", large);
      const Answer answer = co_await get(nginx.at(), tls_client({.alpn = {"http/1.1"}}), "/large");
      EXPECT_THAT(answer.head, StartsWith("HTTP/1.1 200 OK"));
      EXPECT_TRUE(answer.body == large);
      EXPECT_EQ(answer.info->version, version == "1.2" ? Version::Tls_1_2 : Version::Tls_1_3);
      EXPECT_EQ(answer.info->alpn, "http/1.1");
    }
  });
}

TEST(Nginx, serves_many_at_once) {
  run_in_time([]() -> Deferred<> {
    const Nginx nginx("");
    const std::string page = large_text(100'000);
    nginx.put("page", page);
    const auto tls = tls_client();
    std::vector<Deferred<Answer>> answers;
    answers.reserve(30);
    for (int i = 0; i < 30; ++i) answers.push_back(get(nginx.at(), tls, "/page"));
    for (const auto& answer : answers) EXPECT_TRUE((co_await answer).body == page);
  });
}

TEST(Nginx, resumes_sessions) {
  run_in_time([]() -> Deferred<> {
    for (const std::string settings :
         {"ssl_protocols TLSv1.2; ssl_session_tickets off; ssl_session_cache shared:s:1m;",
          "ssl_protocols TLSv1.2;", "ssl_protocols TLSv1.3;"}) {
      const Nginx nginx(settings);
      nginx.put("page", "a page");
      const auto tls = tls_client();
      EXPECT_FALSE((co_await get(nginx.at(), tls, "/page")).info->is_resumed);
      EXPECT_TRUE((co_await get(nginx.at(), tls, "/page")).info->is_resumed) << settings;
      EXPECT_TRUE((co_await get(nginx.at(), tls, "/page")).info->is_resumed) << settings;
    }
  });
}

TEST(Nginx, asks_for_a_certificate) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    for (const std::string version : {"1.2", "1.3"}) {
      const Nginx nginx("ssl_verify_client on; ssl_client_certificate " +
                        all.chain("root").string() + "; ssl_protocols TLSv" + version +
                        "; location / { return 200 $ssl_client_s_dn; }");
      const auto as = [&](const std::string& name) {
        return tls_client({.identity = Tls::Identity{.certificate_chain = all.chain(name),
                                                     .private_key = all.key(name)}});
      };
      EXPECT_EQ((co_await get(nginx.at(), as("client"), "/")).body, "CN=client");
      EXPECT_THAT((co_await get(nginx.at(), tls_client(), "/")).body,
                  HasSubstr("No required SSL certificate was sent"));
      EXPECT_THAT((co_await get(nginx.at(), as("stranger"), "/")).body,
                  HasSubstr("The SSL certificate error"));
    }
  });
}

TEST(Nginx, that_is_killed_has_not_ended_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string version : {"1.2", "1.3"}) {
      const Nginx nginx("limit_rate 100k; ssl_protocols TLSv" + version + ";");
      nginx.put("large", large_text(5'000'000));
      const auto result = co_await or_error(
          talk_to(nginx.at(), tls_client(), [&](Reader reader, Writer writer) -> Deferred<> {
            writer.write("GET /large HTTP/1.0\r\n\r\n");
            EXPECT_TRUE(co_await reader.really_read(1000));
            nginx.kill();
            static_cast<void>(co_await reader.contents());
          }));
      EXPECT_EQ(result ? "no failure" : kind_of(result.error()), "truncated");
    }
  });
}

TEST(Nginx, without_tls_is_refused) {
  run_in_time([]() -> Deferred<> {
    const Nginx nginx("", "");
    const auto result = co_await or_error(Tcp::connect(nginx.at(), {.tls = tls_client()}));
    EXPECT_FALSE(result);
    if (!result) EXPECT_EQ(kind_of(result.error()), "protocol");
  });
}

TEST(Nginx, refuses_what_is_not_tls) {
  run_in_time([]() -> Deferred<> {
    const Nginx nginx("");
    EXPECT_THAT((co_await get(nginx.at(), nullptr, "/")).body,
                HasSubstr("The plain HTTP request was sent to HTTPS port"));
  });
}

TEST(Nginx, passes_requests_on_to_a_server_of_ours) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    const std::string page = large_text(3'000'000);
    for (const std::string version : {"1.2", "1.3"}) {
      Tls::Server_options options = server_options();
      options.client_certificates = Tls::Client_certificates::Require;
      options.trust = Tls::Trust::roots(all.chain("root"));
      const auto server =
          co_await serve(options, [&page](Reader reader, Writer writer) -> Deferred<> {
            EXPECT_EQ(co_await reader.read_line(), "GET /page HTTP/1.0");
            while (const auto line = co_await reader.read_line()) {
              if (line->empty()) break;
            }
            writer.write("HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(page.size()) + "\r\n\r\n");
            writer.write(page);
          });
      {
        const Nginx nginx(
            "proxy_ssl_trusted_certificate " + all.chain("root").string() +
            "; proxy_ssl_verify on; proxy_ssl_name server; proxy_ssl_server_name on; "
            "proxy_ssl_certificate " +
            all.chain("client").string() + "; proxy_ssl_certificate_key " +
            all.key("client").string() + "; proxy_ssl_protocols TLSv" + version +
            "; location / { proxy_pass https://127.0.0.1:" + std::to_string(server.port()) + "; }");
        const auto tls = tls_client();
        for (int i = 0; i < 3; ++i) {
          const Answer answer = co_await get(nginx.at(), tls, "/page");
          EXPECT_THAT(answer.head, StartsWith("HTTP/1.1 200 OK"));
          EXPECT_TRUE(answer.body == page);
          EXPECT_EQ(server.last().is_resumed, i > 0);
          EXPECT_EQ(server.last().server_name, "server");
          EXPECT_TRUE(server.last().peer);
        }
      }
      co_await server.end();
      EXPECT_EQ(server.server.counts().peer_errors, 0U);
    }
  });
}

}  // namespace
}  // namespace async
