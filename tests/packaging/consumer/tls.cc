// Asks itself something, encrypted: tls CERTIFICATE KEY. Built WITH_CURL, libcurl does so as well,
// which uses OpenSSL.
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "async/async.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#ifdef WITH_CURL
#include <curl/curl.h>
#endif

using namespace async;

#ifdef WITH_CURL
static void ask_by_curl(const std::string& certificate, int port) {
  CURL* curl = curl_easy_init();
  const std::string url = "https://localhost:" + std::to_string(port) + "/";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CAINFO, certificate.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  const CURLcode result = curl_easy_perform(curl);
  curl_easy_cleanup(curl);
  if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
}
#endif

static Deferred<> answer(Address::Inet, Reader reader, Writer writer) {
  if (const auto line = co_await reader.read_line()) writer.write_line(*line);
}

static Deferred<> run(std::filesystem::path certificate, std::filesystem::path key) {
  const auto server = co_await Tcp::Server::create(
      Tcp::on_port_chosen_by_os(),
      {.tls = Tls::server({.certificate_chain = certificate, .private_key = key})}, answer);
  const int port = server.listening_on();
#ifdef WITH_CURL
  co_await In_thread::run([=] { ask_by_curl(certificate, port); });
#endif
  const auto client = Tls::client({.trust = Tls::Trust::roots(certificate)});
  co_await Tcp::with_connection(Tcp::to_host_and_port("localhost", port), {.tls = client},
                                [](auto, Reader reader, Writer writer) -> Deferred<> {
                                  writer.write_line("encrypted");
                                  std::puts(std::string(*co_await reader.read_line()).c_str());
                                });
  co_await server.close();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return Scheduler::go_main([=] { return run(argv[1], argv[2]); });
}
