// tests/bench/load/stream.h: the bytes of a connection, plain or encrypted.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace bench {

/// Like a socket, which it owns.  It gives up by itself when something is wrong.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual int fd() const = 0;

  /// `send(bytes)` takes some of `bytes`, and gives how many; none if the socket takes no more.
  virtual std::size_t send(std::string_view bytes) = 0;
  /// `flush()` is whether all that was taken has been sent.
  virtual bool flush() = 0;
  /// `receive(into)` is how many bytes have come; zero at the end, and -1 if there are none now.
  virtual ssize_t receive(std::span<char> into) = 0;
  /// `skip(into)` is the same, but nobody needs to see the bytes.
  virtual ssize_t skip(std::span<char> into) = 0;
  /// `is_at_end()` is true if `receive` would give zero though nothing more comes on the socket.
  virtual bool is_at_end() const { return false; }
  /// `end()` says that no more will be sent.
  virtual void end() = 0;
};

/// `Open(fd)` makes a stream of a socket that is connected and blocks, when both sides can send.
using Open = std::function<std::unique_ptr<Stream>(int fd)>;

/// `plain(fd)` sends and receives bytes as they are.
std::unique_ptr<Stream> plain(int fd);

/// `converse(stream, request)` sends it, on a socket that blocks, and gives up if the reply is
/// another.
void converse(Stream& stream, std::string_view request);

}  // namespace bench
