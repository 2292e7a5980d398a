#include "tests/uv/accept_faults.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace async {

namespace {

struct State {
  int error = 0;
  int times_left = 0;
  int num_failed = 0;
} state;

// Returns 0 if accepting on `fd` may go on.
int fault_of(int fd) {
  pollfd listener{.fd = fd, .events = POLLIN, .revents = 0};
  if (state.times_left == 0 || poll(&listener, 1, 0) != 1) return 0;
  --state.times_left;
  ++state.num_failed;
  return state.error;
}

}  // namespace

Accept_fault::Accept_fault(int error, int num_times) {
  state = {.error = error, .times_left = num_times};
}
Accept_fault::~Accept_fault() { state.times_left = 0; }

int Accept_fault::num_failed() const { return state.num_failed; }

}  // namespace async

extern "C" int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  using Accept4 = int(int, sockaddr*, socklen_t*, int);
  static auto* const system = reinterpret_cast<Accept4*>(dlsym(RTLD_NEXT, "accept4"));
  if (const int fault = async::fault_of(fd)) {
    errno = fault;
    return -1;
  }
  return system(fd, address, size, flags);
}
