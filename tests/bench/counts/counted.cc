// What `check` runs under callgrind to count instructions.
//
//     counted                 does it all
//     counted --versions      says what the counts depend on
//     counted OPERATION N     performs that operation N times: for other tools

#include <valgrind/callgrind.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "tests/bench/core/ours.h"
#include "tests/bench/counts/echo_operations.h"
#include "tests/bench/counts/versions.h"

namespace async::bench {
namespace {

constexpr std::uint64_t number = 2'000;

// The difference of the two dumps is that of `number` operations: what comes before and after them
// is in both.
void count(const Operation& operation) {
  const std::string once = "once: " + operation.name;
  const std::string twice = "twice: " + operation.name;
  operation.run(2 * number);  // fills free lists
  CALLGRIND_ZERO_STATS;
  operation.run(number);
  CALLGRIND_DUMP_STATS_AT(once.c_str());
  operation.run(2 * number);
  CALLGRIND_DUMP_STATS_AT(twice.c_str());
}

// Echoes run schedulers of their own, so they come when that of the core has gone.
template <class F>
void for_each_operation(F f) {
  for (const Operation& operation : core_operations()) f(operation);
  for (const Operation& operation : echo_operations()) f(operation);
}

}  // namespace
}  // namespace async::bench

int main(int argc, char** argv) {
  using namespace async::bench;
  if (argc == 2 && std::string_view(argv[1]) == "--versions") {
    std::printf("%s\n", versions().c_str());
  } else if (argc == 3) {
    for_each_operation([&](const Operation& operation) {
      if (operation.name == argv[1]) operation.run(std::stoull(argv[2]));
    });
  } else {
    for_each_operation(count);
    std::printf("%llu\n", static_cast<unsigned long long>(number));
  }
}
