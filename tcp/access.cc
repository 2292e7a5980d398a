#include "tcp/access.h"

#include <algorithm>
#include <string>

namespace async::Tcp {

namespace {

class Access_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "access"; }
  std::string message(int) const override { return "permission denied by access policy"; }
  std::error_condition default_error_condition(int) const noexcept override {
    return std::errc::permission_denied;
  }
};

// Of two ranges, one is in the other, or they have nothing in common.
std::vector<Cidr> in_both(const std::vector<Cidr>& some, const std::vector<Cidr>& others) {
  std::vector<Cidr> result;
  for (const Cidr& a : some) {
    for (const Cidr& b : others) {
      if (a.bits() >= b.bits() && b.does_match(a.base_address())) {
        result.push_back(a);
      } else if (a.does_match(b.base_address()) && a.bits() < b.bits()) {
        result.push_back(b);
      }
    }
  }
  return result;
}

}  // namespace

bool Access::permits(const Inet_addr& addr) const noexcept {
  const auto matches = [&](const Cidr& range) { return range.does_match(addr); };
  return (allowed.empty() || std::any_of(allowed.begin(), allowed.end(), matches)) &&
         std::none_of(denied.begin(), denied.end(), matches);
}

bool Access::permits(const Address::Any& address) const noexcept {
  const auto* inet = std::get_if<Address::Inet>(&address);
  return !inet || permits(inet->addr());
}

Access Access::narrowed_by(const Access& other) const {
  Access result{.allowed = allowed.empty() ? other.allowed : allowed, .denied = denied};
  result.denied.insert(result.denied.end(), other.denied.begin(), other.denied.end());
  if (allowed.empty() || other.allowed.empty()) return result;
  result.allowed = in_both(allowed, other.allowed);
  // None that are allowed would mean that all are.
  if (result.allowed.empty()) {
    result.denied = {Cidr(Inet_addr::bind_any(), 0), Cidr(Inet_addr::bind_any_v6(), 0)};
  }
  return result;
}

std::error_code access_denied() noexcept {
  static const Access_category category;
  return {1, category};
}

}  // namespace async::Tcp
