#include "reader_writer/flush_result.h"

namespace async {

std::string_view to_string(Flush_result result) {
  switch (result) {
    case Flush_result::Flushed:
      return "flushed";
    case Flush_result::Consumer_left:
      return "consumer left";
    case Flush_result::Force_closed:
      return "force closed";
    case Flush_result::Error:
      return "error";
  }
  return "unknown";
}

}  // namespace async
