// reader_writer/close_reason.h: why a connection was closed.
//
// Layer: reader_writer.  Read next: flush_result.h, writer.h.

#pragma once

#include <string_view>

namespace async {

/// What began to close a connection: the first thing that did.
enum class Close_reason : unsigned char {
  Closed,        // the program closed it, or its last handle went away, or its handler was done
  Aborted,       // the program aborted it, or its task failed
  Idle,          // nothing was sent or received for as long as its idle timeout
  Max_lifetime,  // it had lived for as long as it may
  Stopped,       // the server was stopped, and could not wait any longer
  Error,         // writing failed, or a limit was passed
};

/// `to_string(reason)` is "closed", "aborted", "idle", "max lifetime", "stopped" or "error".
std::string_view to_string(Close_reason reason);

}  // namespace async
