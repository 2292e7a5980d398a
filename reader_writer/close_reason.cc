#include "reader_writer/close_reason.h"

namespace async {

std::string_view to_string(Close_reason reason) {
  switch (reason) {
    case Close_reason::Closed:
      return "closed";
    case Close_reason::Aborted:
      return "aborted";
    case Close_reason::Idle:
      return "idle";
    case Close_reason::Max_lifetime:
      return "max lifetime";
    case Close_reason::Stopped:
      return "stopped";
    case Close_reason::Error:
      return "error";
  }
  return "unknown";
}

}  // namespace async
