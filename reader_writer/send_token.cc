#include "reader_writer/send_token.h"

namespace async {

std::string_view to_string(Send_error error) {
  return error == Send_error::Not_connected ? "not connected" : "not writeable";
}

}  // namespace async
