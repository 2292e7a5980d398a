// Writer::splice.

#include <exception>
#include <expected>
#include <utility>

#include "async/coroutine.h"
#include "reader_writer/internal/read_op.h"
#include "reader_writer/reader.h"
#include "reader_writer/writer.h"

namespace async {

namespace internal {

namespace {

Deferred<Read_result<Filled_buffer>> read_buffer(const Connection_handle& from) {
  return start<Read_result<Filled_buffer>>(from, [](Connection& c, const auto& give) {
    if (c.received().unread().empty()) return at_end(c, give);
    give(c.received().take());
    return true;
  });
}

Deferred<Flush_result> splice(Connection_handle from, Connection_handle to) {
  while (auto filled = co_await read_buffer(from)) {
    if (to->is_filtered()) {
      to->write_filtered({&filled->bytes, 1});
    } else if (to->prepare_to_write(filled->bytes.size())) {
      filled->bytes = to->write_through(filled->bytes);
      to->to_write().take(std::move(*filled));
      to->written();
    }
    const Flush_result result = co_await to->flushed();
    if (result != Flush_result::Flushed) co_return result;
  }
  co_return Flush_result::Flushed;
}

}  // namespace
}  // namespace internal

Deferred<Flush_result> Writer::splice(Reader from) const {
  return internal::splice(from.connection_, connection_);
}

}  // namespace async
