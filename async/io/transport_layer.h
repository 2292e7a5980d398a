// async/io/transport_layer.h: a transport over another one.
//
// Layer: async/io.  Read next: transport.h; tcp/upgrade.h, which makes them; tcp/proxy/ and
// tcp/tls/ for those that exist.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/transport.h"

namespace async {

/// A `Transport_layer` passes everything on to the transport below.  One that decorates overrides
/// what it changes.
///
/// - Scheduling: its user is that of the transport below, too, so a layer costs nothing where it
///   changes nothing.  One that holds something back which it could give at once says so by
///   `has_more()`; its user is then told again at the end of the turn, as often as it wants to
///   read.
class Transport_layer : public Transport {
 public:
  explicit Transport_layer(std::unique_ptr<Transport> below) : below_(std::move(below)) {}
  ~Transport_layer() override = default;

  void set_user(User* user) noexcept override;
  void want_readable(bool wanted) noexcept override;
  void want_writable(bool wanted) noexcept override { below_->want_writable(wanted); }
  Io_result read(std::span<char> into) noexcept override { return below_->read(into); }
  Io_result write(std::span<const std::string_view> parts) noexcept override {
    return below_->write(parts);
  }
  std::error_code shutdown_send() noexcept override { return below_->shutdown_send(); }
  std::exception_ptr exception_of(std::error_code code, const std::string& doing,
                                  std::uint64_t connection) const override {
    return below_->exception_of(code, doing, connection);
  }
  std::size_t unacknowledged() const noexcept override { return below_->unacknowledged(); }
  void close(How how) noexcept override;

  std::expected<Address::Any, std::error_code> local_address() const override {
    return below_->local_address();
  }
  std::expected<Address::Any, std::error_code> remote_address() const override {
    return below_->remote_address();
  }
  std::error_code set_option(int level, int name, std::span<const std::byte> value) override {
    return below_->set_option(level, name, value);
  }
  std::expected<std::size_t, std::error_code> get_option(int level, int name,
                                                         std::span<std::byte> into) const override {
    return below_->get_option(level, name, into);
  }
  int fd() const noexcept override { return below_->fd(); }

 protected:
  Transport& below() const noexcept { return *below_; }

  /// `has_more()` is true if `read` would give something, or the end, without asking below.
  virtual bool has_more() const noexcept { return false; }

  /// `more_has_come()` is to be called when `has_more()` has become true, or still is after a read.
  void more_has_come() noexcept;

 private:
  /// Tells the user at the end of the turn.
  class Tells_again final : public internal::Turn_task {
   public:
    explicit Tells_again(Transport_layer& layer) : layer_(layer) {}
    void run_in_turn() noexcept override { layer_.tell(); }

   private:
    Transport_layer& layer_;
  };
  void tell() noexcept;

  const std::unique_ptr<Transport> below_;
  User* user_ = nullptr;
  bool wants_readable_ = false;
  Tells_again tells_again_{*this};
};

/// A transport of which a little more has been read than was wanted: it gives that first.
class Transport_with_prefix final : public Transport_layer {
 public:
  Transport_with_prefix(std::unique_ptr<Transport> below, std::string prefix)
      : Transport_layer(std::move(below)), prefix_(std::move(prefix)) {}

  Io_result read(std::span<char> into) noexcept override;

 private:
  bool has_more() const noexcept override { return given_ < prefix_.size(); }

  std::string prefix_;
  std::size_t given_ = 0;
};

}  // namespace async
