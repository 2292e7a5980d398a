// reader_writer/reader-inl.h: the bodies of reader.h.  Include that instead.
//
// Layer: reader_writer.

#pragma once

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "async/coroutine.h"
#include "async/scheduler.h"
#include "reader_writer/reader.h"

namespace async {

template <class F>
Deferred<Chunks_result> Reader::read_one_chunk_at_a_time(F f) const {
  const Reader reader = *this;  // which may go away meanwhile
  std::size_t min = 1;
  for (;;) {
    const auto chunk = co_await reader.peek_chunk(min);
    if (!chunk) {
      co_return reader.is_eof() ? Chunks_result::Eof : Chunks_result::Eof_with_unconsumed_data;
    }
    const std::size_t size = chunk->size();
    Handle_chunk_result result = Handle_chunk_result::go_on();
    if constexpr (std::is_same_v<std::invoke_result_t<F&, std::string_view>, Handle_chunk_result>) {
      result = f(*chunk);
    } else {
      result = co_await f(*chunk);
    }
    const std::size_t used = result.num_consumed(size);
    if (used > size) throw std::out_of_range("more was consumed of a chunk than there was");
    if (used == 0 && result.need() > 0 && result.need() <= size) {
      throw std::out_of_range("no more is needed than there was, but nothing was consumed");
    }
    // It may have been closed meanwhile.
    reader.consume(std::min(used, reader.bytes_available()));
    if (result.next() == Handle_chunk_result::Next::Stop) co_return Chunks_result::Stopped;
    const std::size_t left = size - used;
    min = result.need() > 0 ? result.need() : used > 0 ? std::max<std::size_t>(left, 1) : left + 1;
    if (result.next() == Handle_chunk_result::Next::Yield) co_await Scheduler::yield();
  }
}

}  // namespace async
