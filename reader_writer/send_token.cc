#include "reader_writer/send_token.h"

namespace async {

std::string_view to_string(Send_error error) {
  switch (error) {
    case Send_error::Not_connected:
      return "not connected";
    case Send_error::Not_writeable:
      return "not writeable";
    case Send_error::Upgrading:
      return "upgrading";
  }
  return "unknown";
}

}  // namespace async
