#include "async/testing/sim_world.h"

#include <algorithm>

#include "async/internal/kernel.h"
#include "async/internal/time_state.h"
#include "async/testing/sim_network.h"

namespace async::testing {

namespace {

std::pair<std::string, std::string> key_of(const Sim_network& a, const Sim_network& b) {
  return std::minmax(a.name(), b.name());
}

}  // namespace

Time_ns Sim_world::now() const {
  const auto& environment = *internal::kernel().main->environment;
  return static_cast<internal::Time_state&>(*environment.time_source).read();
}

Sim_network* Sim_world::host_with(const Inet_addr& addr) const {
  const auto found = hosts.find(addr);
  return found == hosts.end() ? nullptr : found->second;
}

const Sim_link& Sim_world::link(const Sim_network& from, const Sim_network& to) const {
  static const Sim_link loopback{};
  if (&from == &to) return loopback;
  const auto found = links_.find(key_of(from, to));
  return found == links_.end() ? default_link_ : found->second;
}

void Sim_world::set_link(const Sim_network& a, const Sim_network& b, Sim_link link) {
  links_[key_of(a, b)] = link;
}

void Sim_world::trace(std::string_view line) {
  record.append(to_string(Span(now() - beginning_))).append(" ").append(line).append("\n");
}

}  // namespace async::testing
