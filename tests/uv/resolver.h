// tests/uv/resolver.h: a resolver that does what tests want with names that end in ".test", and
// leaves the others to the system's.

#pragma once

#include <string>
#include <vector>

namespace async {

/// While a `Resolver` lives, names that end in ".test" do not exist but for those that it is told
/// of, and none leaves this machine.  It takes the place of getaddrinfo(3).
class Resolver {
 public:
  Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  /// `add(name, addresses)` makes `name` one with those addresses, in that order.
  void add(const std::string& name, std::vector<std::string> addresses);

  /// `hang(name)` has whoever looks `name` up wait until `let_go()`, or until this goes away.
  void hang(const std::string& name);
  void let_go();

  /// `num_hanging()` is the number of those that wait.
  int num_hanging() const;
};

}  // namespace async
