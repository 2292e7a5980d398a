#include "reader_writer/writer.h"

#include <array>
#include <utility>
#include <vector>

namespace async {

namespace {

std::string_view text(Line_ending ending) { return ending == Line_ending::Unix ? "\n" : "\r\n"; }

}  // namespace

void Writer::write(std::string_view bytes) const {
  if (connection_->is_filtered()) [[unlikely]]
    return connection_->write_filtered({&bytes, 1});
  if (!connection_->prepare_to_write(bytes.size())) return;
  connection_->to_write().copy(connection_->write_through(bytes));
  connection_->written();
}

void Writer::writev(std::span<const std::string_view> parts) const {
  if (connection_->is_filtered()) return connection_->write_filtered(parts);
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  if (!connection_->prepare_to_write(size)) return;
  for (const std::string_view part : parts) connection_->to_write().copy(part);
  connection_->written();
}

void Writer::write_line(std::string_view line, Line_ending ending) const {
  if (connection_->is_filtered()) [[unlikely]] {
    const std::array<std::string_view, 2> parts{line, text(ending)};
    return connection_->write_filtered(parts);
  }
  if (!connection_->prepare_to_write(line.size() + text(ending).size())) return;
  internal::Write_queue& to_write = connection_->to_write();
  to_write.copy(line);
  if (ending == Line_ending::Unix) {
    to_write.copy("\n");  // a store, since its length is known here
  } else {
    to_write.copy("\r\n");
  }
  connection_->written();
}

void Writer::write_char(char c) const { write({&c, 1}); }

void Writer::newline(Line_ending ending) const { write(text(ending)); }

void Writer::schedule(std::string bytes) const {
  if (connection_->is_filtered()) [[unlikely]]
    return write(bytes);
  if (!connection_->prepare_to_write(bytes.size())) return;
  connection_->to_write().take(std::move(bytes));
  connection_->written();
}

void Writer::schedule(std::string_view bytes, std::shared_ptr<const void> owner) const {
  if (connection_->is_filtered()) [[unlikely]]
    return write(bytes);
  if (!connection_->prepare_to_write(bytes.size())) return;
  connection_->to_write().take(bytes, std::move(owner));
  connection_->written();
}

void Writer::schedule_iovecs(std::span<const Iovec> iovecs) const {
  std::size_t size = 0;
  for (const Iovec& one : iovecs) size += one.bytes.size();
  if (connection_->is_filtered()) {
    std::vector<std::string_view> parts;
    parts.reserve(iovecs.size());
    for (const Iovec& one : iovecs) parts.push_back(one.bytes);
    return connection_->write_filtered(parts);
  }
  if (!connection_->prepare_to_write(size)) return;
  for (const Iovec& one : iovecs) {
    if (!one.bytes.empty()) connection_->to_write().take(one.bytes, one.owner);
  }
  connection_->written();
}

std::expected<Send_token, Send_error> Writer::try_write(std::string_view bytes) const {
  return try_writev({&bytes, 1});
}

std::expected<Send_token, Send_error> Writer::try_writev(
    std::span<const std::string_view> parts) const {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  if (const auto refusal = connection_->refusal(size)) return std::unexpected(*refusal);
  if (parts.size() == 1) {
    write(parts[0]);
  } else {
    writev(parts);
  }
  return Send_token(connection_->bytes_received());
}

Deferred<Flush_result> Writer::write_nodelay(std::string_view bytes) const {
  write(bytes);
  connection_->flush_now();
  return flushed();
}

Deferred<Flush_result> Writer::outcome(Send_token token) const {
  return connection_->outcome(token.position());
}

bool Writer::is_throttled() const noexcept { return connection_->is_throttled(); }
Deferred<> Writer::pushed_back() const { return connection_->pushed_back(); }
Water_marks Writer::water_marks() const noexcept { return connection_->water_marks(); }
void Writer::set_water_marks(Water_marks marks) const { connection_->set_water_marks(marks); }

void Writer::add_filter(std::shared_ptr<Filter> filter) const {
  connection_->add_filter(std::move(filter));
}

Deferred<Flush_result> Writer::flushed() const { return connection_->flushed(); }

std::size_t Writer::bytes_to_write() const noexcept { return connection_->to_write().num_bytes(); }
std::uint64_t Writer::bytes_received() const noexcept { return connection_->bytes_received(); }
std::uint64_t Writer::bytes_written() const noexcept { return connection_->bytes_written(); }
std::uint64_t Writer::bytes_dropped() const noexcept { return connection_->bytes_dropped(); }

Deferred<> Writer::consumer_left() const { return connection_->consumer_left(); }

bool Writer::raise_when_consumer_leaves() const noexcept {
  return connection_->raise_when_consumer_leaves();
}
void Writer::set_raise_when_consumer_leaves(bool raise) const noexcept {
  connection_->set_raise_when_consumer_leaves(raise);
}

void Writer::set_buffer_age_limit(Buffer_age_limit limit) const {
  connection_->set_buffer_age_limit(limit);
}

Monitor Writer::monitor() const { return connection_->monitor(); }

void Writer::shutdown_send() const { connection_->shutdown_send(); }

Deferred<Close_result> Writer::close(Close_options options) const {
  return connection_->close(options);
}
Deferred<Close_result> Writer::abort() const { return connection_->abort(); }
Deferred<Close_result> Writer::close_finished() const { return connection_->close_finished(); }
bool Writer::is_closed() const noexcept { return connection_->is_closed(); }

void Writer::set_idle_timeout(std::optional<Span> span) const {
  connection_->set_idle_timeout(span);
}
void Writer::set_max_lifetime(Span span) const { connection_->set_max_lifetime(span); }

Deferred<> Writer::idle(Span span) const {
  return internal::Connection::idle(internal::Ref<internal::Connection>::share(&*connection_),
                                    span);
}

void Writer::observe(std::shared_ptr<Connection_observer> observer) const {
  connection_->observe(std::move(observer));
}

}  // namespace async
