// Greets an echo server by way of proxies, each reached through the one before it:
// via_proxy HOST PORT [PROXY...], such as via_proxy example.com 7 socks5h://localhost:1080
// Without a PROXY it goes by those that the environment names (all_proxy, no_proxy and so on).
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tcp/proxy/proxy.h"
#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

static std::shared_ptr<const Tcp::Route> route_of(const std::vector<std::string>& proxies) {
  if (proxies.empty()) return Tcp::Proxy::from_environment();
  std::shared_ptr<const Tcp::Route> route;
  for (const std::string& url : proxies) route = Tcp::Proxy::of_url(url, route);
  return route;
}

static Deferred<int> run(std::string host, int port, std::vector<std::string> proxies) {
  try {
    // One deadline for all of it: the proxies, what they ask of each other, and the server.
    const auto answer = co_await Tcp::with_connection(
        Tcp::to_host_and_port(host, port), {.timeout = 10s, .via = route_of(proxies)},
        [](auto /*socket*/, Reader reader, Writer writer) -> Deferred<Read_result<std::string>> {
          writer.write_line("hello");
          co_return co_await reader.read_line();
        });
    std::printf("%s\n", answer ? answer->c_str() : "(the server hung up)");
  } catch (const Tcp::Connect_error& error) {
    std::fprintf(stderr, "%s: %s\n", std::string(to_string(error.kind())).c_str(), error.what());
    co_return 1;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return 2;
  }
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: via_proxy HOST PORT [PROXY...]\n");
    return 2;
  }
  const std::vector<std::string> proxies(argv + 3, argv + argc);
  return Scheduler::go_main([=] { return run(argv[1], std::stoi(argv[2]), proxies); });
}
