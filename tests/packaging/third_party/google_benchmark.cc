#include <benchmark/benchmark.h>

static void nothing(benchmark::State& state) {
  for (auto _ : state) {
  }
}
BENCHMARK(nothing)->Iterations(10);

BENCHMARK_MAIN();
