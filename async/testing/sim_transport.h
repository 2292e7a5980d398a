// async/testing/sim_transport.h: one end of a simulated connection.
//
// Layer: async/testing.  Read next: sim_world.h.
//
// Bytes that were written are on their way for as long as the link takes, and then lie with the
// other end until they are read.  There is room for a window of them, on the way and unread
// together.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/io/transport.h"
#include "async/testing/sim_world.h"

namespace async::testing {

/// Options of a simulated socket: whatever was set can be read back.
class Sim_options {
 public:
  std::error_code set(int level, int name, std::span<const std::byte> value);
  std::expected<std::size_t, std::error_code> get(int level, int name,
                                                  std::span<std::byte> into) const;

 private:
  std::map<std::pair<int, int>, std::vector<std::byte>> values_;
};

/// What the two ends of a connection share: each end's state outlives its transport, as the
/// kernel's does the descriptor.
class Sim_end {
 public:
  Sim_end(Sim_network& network, Address::Any local, Address::Any remote)
      : network(network), local(std::move(local)), remote(std::move(remote)) {}

  Sim_network& network;
  const Address::Any local;
  const Address::Any remote;
  std::weak_ptr<Sim_end> peer;

  Transport::User* user = nullptr;
  bool wants_readable = false;
  bool wants_writable = false;
  bool will_tell = false;  // the user, in an event that is under way

  std::string unread;
  std::size_t unacknowledged = 0;  // written here, and not known to be read there
  std::size_t in_flight = 0;       // written here, and not arrived there
  bool has_sent_end = false;
  bool has_received_end = false;
  bool is_closed = false;
  std::error_code reset;  // why it is, if it is
  Time_ns last_arrival;   // of what was sent, there: what is sent later arrives later

  bool is_readable() const { return !unread.empty() || has_received_end || reset; }
  bool is_writable() const;
};

class Sim_transport final : public Transport {
 public:
  static constexpr std::size_t window = 256 * 1024;

  /// `options` are those that its socket had before.
  explicit Sim_transport(std::shared_ptr<Sim_end> end, Sim_options options = {})
      : end_(std::move(end)), options_(std::move(options)) {}
  ~Sim_transport() override { close(How::In_order); }

  void set_user(User* user) noexcept override;
  void want_readable(bool wanted) noexcept override;
  void want_writable(bool wanted) noexcept override;
  Io_result read(std::span<char> into) noexcept override;
  Io_result write(std::span<const std::string_view> parts) noexcept override;
  std::error_code shutdown_send() noexcept override;
  std::size_t unacknowledged() const noexcept override { return end_->in_flight; }
  void close(How how) noexcept override;

  std::expected<Address::Any, std::error_code> local_address() const override;
  std::expected<Address::Any, std::error_code> remote_address() const override;
  std::error_code set_option(int level, int name, std::span<const std::byte> value) override;
  std::expected<std::size_t, std::error_code> get_option(int level, int name,
                                                         std::span<std::byte> into) const override;
  int fd() const noexcept override { return -1; }

 private:
  const std::shared_ptr<Sim_end> end_;
  Sim_options options_;
};

}  // namespace async::testing
