#include "async/io/network.h"

namespace async {

Network& Network::current() {
  return static_cast<Network&>(*internal::kernel().current->environment->network);
}

}  // namespace async
