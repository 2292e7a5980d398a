// reader_writer/send_token.h: what became of one write.
//
// Layer: reader_writer.  Read next: writer.h (`try_write`, `outcome`).

#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace async {

/// A place in the stream of what was written to one writer: right behind one write.
/// `Writer::outcome` tells what became of all before it.  Tokens of one writer are in the order of
/// its writes.
class Send_token {
 public:
  explicit Send_token(std::uint64_t position) : position_(position) {}

  /// `position()` is the number of bytes that were written before it.
  std::uint64_t position() const noexcept { return position_; }

  friend auto operator<=>(const Send_token&, const Send_token&) = default;

 private:
  std::uint64_t position_;
};

/// Why nothing was sent.
enum class Send_error : unsigned char {
  Not_connected,  // the writer was closed, has sent its end, or nobody is there any more
  Not_writeable,  // it is throttled, or its limit would be passed; see `Writer::pushed_back`
  Upgrading,      // TLS is being started; `write` would wait for that
};

/// `to_string(error)` is "not connected", "not writeable" or "upgrading".
std::string_view to_string(Send_error error);

}  // namespace async
