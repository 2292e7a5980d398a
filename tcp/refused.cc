#include "tcp/refused.h"

#include <string>

namespace async::Tcp {

Refused::Refused(Kind kind) : std::runtime_error(std::string(to_string(kind))), kind_(kind) {}

std::string_view to_string(Refused::Kind kind) {
  switch (kind) {
    case Refused::Kind::Access_denied:
      return "access denied";
    case Refused::Kind::Server_full:
      return "the server is full";
    case Refused::Kind::Server_closed:
      return "the server is closed";
  }
  return "unknown";
}

}  // namespace async::Tcp
