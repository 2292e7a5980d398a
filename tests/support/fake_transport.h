// tests/support/fake_transport.h: a transport that does as a test says.

#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/io/transport.h"
#include "tests/support/connected_pair.h"

namespace async {

/// What a test and the transport share.
struct Fake_wire {
  Transport::User* user = nullptr;
  bool wants_readable = false;
  bool wants_writable = false;
  std::deque<Io_result> reads;  // what reading gives next, in place of `bytes_to_read`
  std::string bytes_to_read;
  std::vector<std::string> writes;  // one for each call that took something
  std::vector<std::size_t> num_parts;
  std::size_t room = std::numeric_limits<std::size_t>::max();  // how much can be written
  std::error_code write_error;
  int num_writes_before_error = 0;  // of those that are still to come
  int num_write_calls = 0;
  bool has_sent_end = false;
  std::size_t unacknowledged = 0;
  std::optional<Transport::How> closed;

  std::string written() const {
    std::string all;
    for (const std::string& one : writes) all += one;
    return all;
  }
  /// `arrive(bytes)` and `arrive(result)` tell the user, in a cycle.
  void arrive(std::string_view bytes) {
    bytes_to_read += bytes;
    tell_readable();
  }
  void arrive(Io_result result) {
    reads.push_back(result);
    tell_readable();
  }
  void fail_reading(int e) { arrive(Io_result::failed(io_error_of_errno(e))); }
  void tell_readable() const {
    if (wants_readable && user) user->readable();
  }
  void tell_writable() const {
    if (wants_writable && user) user->writable();
  }
};

class Fake_transport final : public Transport {
 public:
  explicit Fake_transport(std::shared_ptr<Fake_wire> wire) : wire_(std::move(wire)) {}
  ~Fake_transport() override {
    if (!wire_->closed) close(How::In_order);
  }

  void set_user(User* user) noexcept override { wire_->user = user; }
  void want_readable(bool wanted) noexcept override { wire_->wants_readable = wanted; }
  void want_writable(bool wanted) noexcept override { wire_->wants_writable = wanted; }

  Io_result read(std::span<char> into) noexcept override {
    if (!wire_->bytes_to_read.empty()) {
      const std::size_t n = wire_->bytes_to_read.copy(into.data(), into.size());
      wire_->bytes_to_read.erase(0, n);
      return Io_result::ok(n);
    }
    if (wire_->reads.empty()) return Io_result::would_block();
    const Io_result result = wire_->reads.front();
    wire_->reads.pop_front();
    return result;
  }
  Io_result write(std::span<const std::string_view> parts) noexcept override {
    ++wire_->num_write_calls;
    EXPECT_FALSE(parts.empty());
    for (const std::string_view part : parts) EXPECT_FALSE(part.empty());
    if (wire_->write_error && wire_->num_writes_before_error-- <= 0) {
      return Io_result::failed(wire_->write_error);
    }
    if (wire_->room == 0) return Io_result::would_block();
    std::string bytes;
    for (const std::string_view part : parts) bytes += part.substr(0, wire_->room - bytes.size());
    wire_->room -= bytes.size();
    wire_->num_parts.push_back(parts.size());
    wire_->writes.push_back(bytes);
    return Io_result::ok(bytes.size());
  }
  std::error_code shutdown_send() noexcept override {
    wire_->has_sent_end = true;
    return {};
  }
  std::size_t unacknowledged() const noexcept override { return wire_->unacknowledged; }
  void close(How how) noexcept override {
    if (!wire_->closed) wire_->closed = how;
  }

  std::expected<Address::Any, std::error_code> local_address() const override {
    return Address::Unix();
  }
  std::expected<Address::Any, std::error_code> remote_address() const override {
    return Address::Unix("fake");
  }
  std::error_code set_option(int, int, std::span<const std::byte>) override { return {}; }
  std::expected<std::size_t, std::error_code> get_option(int, int,
                                                         std::span<std::byte>) const override {
    return 0;
  }
  int fd() const noexcept override { return -1; }

 private:
  const std::shared_ptr<Fake_wire> wire_;
};

/// `fake_end(wire)` is a connection over `wire`.
inline End fake_end(const std::shared_ptr<Fake_wire>& wire, Connection_limits limits = {}) {
  return End(std::make_unique<Fake_transport>(wire), Address::Unix("fake"), limits);
}

}  // namespace async
