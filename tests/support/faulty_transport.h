// tests/support/faulty_transport.h: a transport that gives and takes little, or breaks.

#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "async/coroutine.h"
#include "async/io/io_error.h"
#include "async/io/transport_layer.h"
#include "tcp/route.h"
#include "tcp/upgrade.h"

namespace async {

struct Faults {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  /// So much at most is given and taken at once.
  std::size_t piece = none;
  /// After so many bytes were sent the connection breaks.
  std::size_t break_after = none;
  /// Whether the other side sees a reset then, and not an end.
  bool by_reset = false;
};

/// What is between a connection and its transport.
class Faulty_transport final : public Transport_layer {
 public:
  Faulty_transport(std::unique_ptr<Transport> below, Faults faults)
      : Transport_layer(std::move(below)), faults_(faults) {
    if (faults_.break_after == 0) break_off();
  }

  Io_result read(std::span<char> into) noexcept override {
    if (has_broken_) return broken();
    return Transport_layer::read(into.first(std::min(into.size(), faults_.piece)));
  }

  Io_result write(std::span<const std::string_view> parts) noexcept override {
    if (has_broken_) return broken();
    const std::string_view first =
        parts.front().substr(0, std::min(faults_.piece, faults_.break_after - sent_));
    const Io_result result = Transport_layer::write({&first, 1});
    sent_ += result.bytes;
    if (sent_ == faults_.break_after) break_off();
    return result;
  }

 private:
  static Io_result broken() { return Io_result::failed(io_error_of_errno(ECONNRESET)); }

  bool has_more() const noexcept override { return has_broken_; }

  void break_off() noexcept {
    has_broken_ = true;
    below().close(faults_.by_reset ? How::Reset : How::In_order);
    more_has_come();
  }

  const Faults faults_;
  std::size_t sent_ = 0;
  bool has_broken_ = false;
};

/// Puts one there for a client.
class Faulty_route final : public Tcp::Route {
 public:
  explicit Faulty_route(Faults faults) : faults_(faults) {}

  Deferred<std::unique_ptr<Transport>> reach(Tcp::Target target, const Connect& connect,
                                             const Tcp::Stop&) const override {
    return connect(std::move(target)).map([faults = faults_](std::unique_ptr<Transport> below) {
      return std::unique_ptr<Transport>(
          std::make_unique<Faulty_transport>(std::move(below), faults));
    });
  }

 private:
  const Faults faults_;
};

/// Puts one there for each client of a server.
class Faulty_upgrade final : public Tcp::Upgrade {
 public:
  explicit Faulty_upgrade(Faults faults) : faults_(faults) {}

  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): it does not wait.
  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport, std::string,
                                               const Tcp::Stop&) const override {
    co_return std::make_unique<Faulty_transport>(std::move(transport), faults_);
  }

 private:
  const Faults faults_;
};

}  // namespace async
