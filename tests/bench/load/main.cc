// The load on a server: load MODE --port PORT --pids PID,... [--name value ...].  It prints one
// JSON object, or fails if the server does not do what it should.
#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"

using namespace bench;

static Row run(const Options& options) {
  if (options.mode == "echo") return echo_load(options, plain);
  if (options.mode == "churn") return churn_load(options);
  if (options.mode == "growth") return growth_load(options, plain);
  if (options.mode == "send" || options.mode == "receive" || options.mode == "both")
    return bulk_load(options, plain);
  give_up("there is no mode " + options.mode);
}

int main(int argc, char** argv) {
  const Options asked = options(argc, argv);
  // Behind a proxy each connection has two ends here.
  allow_descriptors(asked.connections * (asked.backend_port != 0 ? 2 : 1) + 64);
  run(asked).print();
}
