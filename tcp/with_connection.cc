#include "tcp/with_connection.h"

#include <string>

#include "async/log.h"

namespace async::Tcp::internal {

Deferred<> close_and_log(async::internal::Connection_handle connection) {
  const Close_result result = co_await connection->begin_to_close(Close_options());
  if (result.bytes_dropped == 0) co_return;
  Log::error(std::to_string(result.bytes_dropped) + " bytes written to " +
             to_string(connection->remote()) +
             " were dropped: " + std::string(to_string(result.outcome)));
}

}  // namespace async::Tcp::internal
