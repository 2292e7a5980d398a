// Every client gets its own bytes back, in TLS: tls_echo_server PORT CERT KEY, both files in PEM.
// On SIGHUP it reads the files again: who connects from then on sees the new certificate, and who
// is there stays. Try it: openssl s_client -quiet -connect localhost:PORT, and kill -HUP
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "tcp/tcp.h"
#include "tcp/tls/tls.h"

using namespace async;

// The same as without TLS.  An end of the connection without TLS's own end raises in here, which
// ends this connection alone.
static Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

static void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

static void reload(const std::shared_ptr<Tls::Server>& tls, const Tls::Identity& identity) {
  try {
    tls->set_identities(identity, {});
    say("reloaded");
  } catch (const Tls::Error& error) {
    say("not reloaded: " + std::string(error.what()));  // the old certificate stays
  }
}

static Deferred<int> run(int port, Tls::Identity identity) {
  std::shared_ptr<Tls::Server> tls;
  try {
    tls = Tls::server(
        {.certificate_chain = identity.certificate_chain, .private_key = identity.private_key});
  } catch (const Tls::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return 1;
  }
  Signal::handle({SIGHUP}, [=](int) { reload(tls, identity); });
  auto where = port == 0 ? Tcp::on_port_chosen_by_os() : Tcp::on_port(port);
  auto server = co_await Tcp::Server::create(where, {.max_connections = 10'000, .tls = tls}, echo);
  say("listening on " + std::to_string(server.listening_on()));
  co_await Shutdown::requested();  // SIGINT or SIGTERM
  co_await server.close();
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: tls_echo_server PORT CERT KEY\n");
    return 2;
  }
  const Tls::Identity identity{.certificate_chain = argv[2], .private_key = argv[3]};
  return Scheduler::go_main([=] { return run(std::stoi(argv[1]), identity); });
}
