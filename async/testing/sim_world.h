// async/testing/sim_world.h: what all hosts of a simulation share.
//
// Layer: async/testing.  Read next: sim_network.h, sim_transport.h; simulation.h for the public
// face.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "async/internal/random_state.h"
#include "async/internal/ref.h"
#include "async/io/address.h"
#include "async/testing/sim_events.h"
#include "async/time_ns.h"

namespace async::testing {

class Sim_network;

/// What a name stands for.
struct Sim_name {
  std::vector<Inet_addr> addrs;
  Span delay;             // until the answer
  std::error_code error;  // in place of one
};

/// What lies between two hosts.  (Faults have their place here.)
struct Sim_link {
  Span delay;  // one way
};

/// The network between the hosts, and the record of what went over it.
class Sim_world {
 public:
  Sim_world(std::uint64_t seed, Time_ns beginning, Span delay)
      : random(internal::Ref<internal::Random_state>::adopt(new internal::Random_state(seed))),
        beginning_(beginning),
        default_link_{delay} {}

  /// `now()` is the virtual time, while a run is under way.
  Time_ns now() const;

  /// `after(span, f)` has `f()` happen later, in the same run.
  Sim_events::Key after(Span span, std::function<void()> f) {
    return events.add(now() + span, std::move(f));
  }

  /// `host_with(addr)` is the host that has an address; null if none has.
  Sim_network* host_with(const Inet_addr& addr) const;

  const Sim_link& link(const Sim_network& from, const Sim_network& to) const;
  void set_link(const Sim_network& a, const Sim_network& b, Sim_link link);

  /// `trace(line)` adds a line to the record, with the time.
  void trace(std::string_view line);

  Sim_events events;
  std::map<Inet_addr, Sim_network*> hosts;
  std::map<std::string, Sim_name> names;
  std::set<Inet_addr> black_holes;  // which drop whatever asks for a connection
  const internal::Ref<internal::Random_state> random;
  std::string record;

 private:
  const Time_ns beginning_;
  const Sim_link default_link_;
  std::map<std::pair<std::string, std::string>, Sim_link> links_;  // by names, in order
};

}  // namespace async::testing
