#include "tests/bench/load/measurement.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "tests/bench/load/system.h"

namespace bench {

/// On a processor, and waiting for one: in seconds, to the nanosecond.
static std::pair<double, double> schedstat(const std::string& path) {
  std::ifstream file(path);
  double on = 0;
  double waiting = 0;
  file >> on >> waiting;
  return {on * 1e-9, waiting * 1e-9};
}

static std::pair<double, double> schedstat(const Pids& pids) {
  std::pair<double, double> sum;
  for (const int pid : pids) {
    std::error_code ignored;  // threads may end meanwhile
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
      const auto [on, waiting] = schedstat(task.path().string() + "/schedstat");
      sum.first += on;
      sum.second += waiting;
    }
  }
  return sum;
}

std::uint64_t resident_bytes(const Pids& pids) {
  std::uint64_t sum = 0;
  for (const int pid : pids) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string word;
    while (status >> word) {
      std::uint64_t kib = 0;
      if (word == "VmRSS:" && status >> kib) sum += kib * 1024;
    }
  }
  return sum;
}

void wait_until_idle(const Pids& pids) {
  double before = schedstat(pids).first;
  for (int i = 0; i < 100; ++i) {
    rest(50);
    const double now = schedstat(pids).first;
    if (now - before < 0.0005) return;
    before = now;
  }
}

Measurement::Times Measurement::times(const Pids& pids) {
  Times result;
  result.now = static_cast<double>(now_ns()) * 1e-9;
  std::tie(result.server, result.server_wait) = schedstat(pids);
  std::tie(result.load, result.load_wait) = schedstat("/proc/self/schedstat");

  // user nice system idle iowait irq softirq steal, in ticks
  std::ifstream stat("/proc/stat");
  std::string word;
  stat >> word;
  std::array<double, 8> ticks = {};
  for (double& tick : ticks) stat >> tick;
  const auto per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  result.busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / per_second;
  result.steal = ticks[7] / per_second;
  return result;
}

Measurement::Measurement(const Pids& pids) : pids_(pids), begin_(times(pids)) {}

void Measurement::end() { end_ = times(pids_); }

double Measurement::seconds() const { return end_.now - begin_.now; }
double Measurement::server_seconds() const { return end_.server - begin_.server; }

void Measurement::add_to(Row& row) const {
  const double load = end_.load - begin_.load;
  const double others = end_.busy - begin_.busy - server_seconds() - load;
  row.add("seconds", seconds());
  row.add("utilisation", server_seconds() / seconds());
  row.add("foreign", others / seconds());
  row.add("steal", (end_.steal - begin_.steal) / seconds());
  row.add("load_wait", (end_.load_wait - begin_.load_wait) / seconds());
  row.add("server_wait", (end_.server_wait - begin_.server_wait) / seconds());
}

void Measurement::add_requests_to(Row& row, std::uint64_t count,
                                  const Histogram& latencies_ns) const {
  const auto requests = static_cast<double>(count);
  row.add("requests", count);
  row.add("rps", requests / seconds());
  row.add("cpu_us", server_seconds() / requests * 1e6);
  add_to(row);
  row.add_latencies(latencies_ns);
}

}  // namespace bench
