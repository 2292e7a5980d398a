// The main function of every program that measures the core: CPU time and allocations an operation.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "tests/bench/core/operation.h"
#include "tests/support/allocations.h"

namespace async::bench {
namespace {

// So many at once that what surrounds them is nothing, and few enough to stay in the caches.
constexpr std::uint64_t batch = 10'000;

void measure(benchmark::State& state, const Run& run) {
  run(batch);  // fills free lists
  const std::uint64_t before = allocations();
  while (state.KeepRunningBatch(batch)) run(batch);
  state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations() - before),
                                                     benchmark::Counter::kAvgIterations);
}

}  // namespace
}  // namespace async::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const std::vector<async::bench::Peer> peers = async::bench::peers();
  for (const async::bench::Peer& peer : peers) {
    for (const async::bench::Operation& operation : peer.operations) {
      benchmark::RegisterBenchmark(
          (peer.name + "/" + operation.name).c_str(),
          [&run = operation.run](benchmark::State& state) { async::bench::measure(state, run); });
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
