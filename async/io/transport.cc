#include "async/io/transport.h"

namespace async {

std::exception_ptr Transport::exception_of(std::error_code code, const std::string& doing,
                                           std::uint64_t connection) const {
  return std::make_exception_ptr(Io_error(code, doing).on_connection(connection));
}

}  // namespace async
