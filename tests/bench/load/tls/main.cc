// The load on a server of TLS, as ../main.cc is without: tls_load MODE --port PORT --pids PID,...
// [--name value ...]
#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"
#include "tests/bench/load/tls/handshake_load.h"
#include "tests/bench/load/tls/tls_stream.h"

using namespace bench;

static Row run(const Options& options) {
  if (options.mode == "handshake" || options.mode == "resume") return handshake_load(options);
  if (options.mode == "echo") return echo_load(options, tls);
  if (options.mode == "growth") return growth_load(options, tls);
  if (options.mode == "send" || options.mode == "receive" || options.mode == "both")
    return bulk_load(options, tls);
  give_up("there is no mode " + options.mode);
}

int main(int argc, char** argv) {
  const Options asked = options(argc, argv);
  allow_descriptors(asked.connections + 64);
  run(asked).print();
}
