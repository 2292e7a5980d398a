// reader_writer/errors.h: errors of readers and writers that a caller may want to tell apart.
//
// Layer: reader_writer.  Read next: reader.h, writer.h.

#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "async/io/io_error.h"

namespace async {

/// A read was begun while another one of the same reader was under way.
class Reader_in_use : public std::logic_error {
 public:
  Reader_in_use();
};

/// A write was made after the program itself had closed the writer.
class Writer_closed : public std::logic_error {
 public:
  Writer_closed();
};

/// A limit of a connection was passed, which is the doing of its peer.
class Limit_exceeded : public std::runtime_error, public Connection_failure {
 public:
  enum class Limit : unsigned char {
    Read,        // what was to be read is longer than its maximum
    Buffer,      // more waited to be written than `buffer_limit` when something was written
    Buffer_age,  // something waited to be written for longer than `buffer_age_limit`
  };

  Limit_exceeded(Limit limit, const std::string& what, std::uint64_t connection)
      : std::runtime_error(what), Connection_failure(connection), limit_(limit) {}

  Limit limit() const noexcept { return limit_; }

 private:
  Limit limit_;
};

}  // namespace async
