#include "reader_writer/observer.h"

namespace async {

void Connection_observer::sent(const Connection_info&, std::size_t) {}
void Connection_observer::received(const Connection_info&, std::size_t) {}
void Connection_observer::throttled(const Connection_info&) {}
void Connection_observer::unthrottled(const Connection_info&) {}
void Connection_observer::closed(const Connection_info&, const Close_result&) {}

}  // namespace async
