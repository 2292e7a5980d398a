#include "tcp/observer.h"

namespace async::Tcp {

void Observer::connecting(const std::string&, std::size_t) {}
void Observer::attempt_failed(const std::string&, const Address::Any&, std::error_code) {}
void Observer::connected(const Connection_info&) {}
void Observer::connect_failed(const std::string&, const Error&) {}
void Observer::accepted(const Connection_info&) {}
void Observer::refused(const Address::Any&, const Error&) {}
void Observer::peer_error(const Connection_info&, const Error&) {}

}  // namespace async::Tcp
