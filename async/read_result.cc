#include "async/read_result.h"

namespace async {

std::string_view to_string(Eof::Reason reason) {
  switch (reason) {
    case Eof::Reason::Clean:
      return "clean";
    case Eof::Reason::Reset:
      return "reset";
    case Eof::Reason::Timed_out:
      return "timed out";
    case Eof::Reason::Closed:
      return "closed";
  }
  return "unknown";
}

}  // namespace async
