#include "async/testing/sim_transport.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/testing/sim_network.h"

namespace async::testing {

namespace {

using End = std::shared_ptr<Sim_end>;

std::string name_of(const Sim_end& end) {
  return end.network.name() + " " + to_string(end.local) + " -> " + to_string(end.remote);
}

// Tells the user in an event of its own, and again for as long as there is something to tell.
void tell_if_ready(const End& end) {
  const bool is_ready =
      (end->wants_readable && end->is_readable()) || (end->wants_writable && end->is_writable());
  if (!end->user || !is_ready || end->will_tell) return;
  end->will_tell = true;
  end->network.world().after(Span(), [end] {
    end->will_tell = false;
    const auto user = internal::Ref<Transport::User>::share(end->user);
    if (!user) return;
    if (end->wants_writable && end->is_writable()) user->writable();
    if (end->wants_readable && end->is_readable()) user->readable();
    internal::engine().run_cycle(user.get());
    tell_if_ready(end);
  });
}

// `f(there)` happens at the other end, after all that was sent before has arrived.
template <class F>
void send(const End& from, F f) {
  const End there = from->peer.lock();
  if (!there) return;
  Sim_world& world = from->network.world();
  const Time_ns arrival =
      std::max(world.now() + world.link(from->network, there->network).delay, from->last_arrival);
  from->last_arrival = arrival;
  world.events.add(arrival, [there, f = std::move(f)]() mutable {
    f(there);
    tell_if_ready(there);
  });
}

void send_reset(const End& from) {
  from->network.world().trace("reset " + name_of(*from));
  send(from, [](const End& there) {
    there->reset = io_error_of_errno(ECONNRESET);
    there->unacknowledged = there->in_flight = 0;
  });
}

void send_end(const End& from) {
  if (std::exchange(from->has_sent_end, true)) return;
  from->network.world().trace("end " + name_of(*from));
  send(from, [](const End& there) { there->has_received_end = true; });
}

void acknowledge(const End& from, std::size_t bytes) {
  send(from, [bytes](const End& there) {
    there->unacknowledged -= std::min(there->unacknowledged, bytes);
  });
}

void send_bytes(const End& from, std::string bytes) {
  from->network.world().trace("send " + std::to_string(bytes.size()) + " " + name_of(*from));
  from->unacknowledged += bytes.size();
  from->in_flight += bytes.size();
  send(from, [from, bytes = std::move(bytes)](const End& there) {
    from->in_flight -= std::min(from->in_flight, bytes.size());
    if (there->is_closed) {
      send_reset(there);  // nobody is there who could read it
    } else if (!there->reset) {
      there->unread += bytes;
    }
  });
}

}  // namespace

std::error_code Sim_options::set(int level, int name, std::span<const std::byte> value) {
  values_[{level, name}].assign(value.begin(), value.end());
  return {};
}

std::expected<std::size_t, std::error_code> Sim_options::get(int level, int name,
                                                             std::span<std::byte> into) const {
  std::fill(into.begin(), into.end(), std::byte());
  const auto found = values_.find({level, name});
  if (found == values_.end()) return into.size();
  const std::size_t size = std::min(into.size(), found->second.size());
  std::copy_n(found->second.begin(), size, into.begin());
  return size;
}

bool Sim_end::is_writable() const { return reset || unacknowledged < Sim_transport::window; }

void Sim_transport::set_user(User* user) noexcept {
  end_->user = user;
  tell_if_ready(end_);
}

void Sim_transport::want_readable(bool wanted) noexcept {
  end_->wants_readable = wanted;
  tell_if_ready(end_);
}

void Sim_transport::want_writable(bool wanted) noexcept {
  end_->wants_writable = wanted;
  tell_if_ready(end_);
}

Io_result Sim_transport::read(std::span<char> into) noexcept {
  if (end_->is_closed) return Io_result::failed(io_error_of_errno(EBADF));
  if (!end_->unread.empty()) {
    const std::size_t size = std::min(into.size(), end_->unread.size());
    std::memcpy(into.data(), end_->unread.data(), size);
    end_->unread.erase(0, size);
    acknowledge(end_, size);
    return Io_result::ok(size);
  }
  if (end_->reset) return Io_result::failed(end_->reset);
  return end_->has_received_end ? Io_result::eof() : Io_result::would_block();
}

Io_result Sim_transport::write(std::span<const std::string_view> parts) noexcept {
  if (end_->is_closed) return Io_result::failed(io_error_of_errno(EBADF));
  if (end_->reset) return Io_result::failed(end_->reset);
  if (end_->has_sent_end) return Io_result::failed(io_error_of_errno(EPIPE));
  if (!end_->is_writable()) return Io_result::would_block();
  std::string bytes;
  std::size_t room = window - end_->unacknowledged;
  for (const std::string_view part : parts) {
    bytes += part.substr(0, room);
    room -= std::min(room, part.size());
  }
  const std::size_t size = bytes.size();
  send_bytes(end_, std::move(bytes));
  return Io_result::ok(size);
}

std::error_code Sim_transport::shutdown_send() noexcept {
  if (end_->is_closed) return io_error_of_errno(EBADF);
  send_end(end_);
  return {};
}

void Sim_transport::close(How how) noexcept {
  if (std::exchange(end_->is_closed, true)) return;
  end_->user = nullptr;
  if (internal::thread_state.kernel && internal::thread_state.kernel->id != 0) {
    // As the kernel does: what is unread will never be read, and the other side is told so.
    if (how == How::Reset || !end_->unread.empty()) {
      send_reset(end_);
    } else if (!end_->reset) {
      send_end(end_);
    }
  }
  end_->network.descriptor_was_freed();
}

std::expected<Address::Any, std::error_code> Sim_transport::local_address() const {
  if (end_->is_closed) return std::unexpected(io_error_of_errno(EBADF));
  return end_->local;
}

std::expected<Address::Any, std::error_code> Sim_transport::remote_address() const {
  if (end_->is_closed) return std::unexpected(io_error_of_errno(EBADF));
  if (end_->reset) return std::unexpected(io_error_of_errno(ENOTCONN));
  return end_->remote;
}

std::error_code Sim_transport::set_option(int level, int name, std::span<const std::byte> value) {
  return options_.set(level, name, value);
}

std::expected<std::size_t, std::error_code> Sim_transport::get_option(
    int level, int name, std::span<std::byte> into) const {
  return options_.get(level, name, into);
}

}  // namespace async::testing
