// tcp/proxy/internal/no_proxy.h: the targets that no proxy is asked for.
//
// Layer: tcp/proxy.  Read next: tcp/proxy/environment.h.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "async/io/cidr.h"
#include "tcp/route.h"

namespace async::Tcp::Proxy::internal {

/// What the variable no_proxy says.
class No_proxy {
 public:
  /// Errors: throws `std::invalid_argument`.
  explicit No_proxy(std::string_view text);

  /// `contains(target)` says whether `target` is to be connected to directly.
  bool contains(const Target& target) const;

 private:
  /// A name, in small letters and without a dot at either end.
  using Name = std::string;
  struct Entry {
    std::variant<Name, Cidr> host;
    std::optional<int> port;
  };

  static Entry parse(std::string_view text);

  bool contains_all_ = false;
  std::vector<Entry> entries_;
};

/// `parse_port(text)` is nothing if `text` is no port.
std::optional<int> parse_port(std::string_view text);

}  // namespace async::Tcp::Proxy::internal
