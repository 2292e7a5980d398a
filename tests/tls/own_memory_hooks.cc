// A program that has hooks of its own for the memory of BoringSSL, which keeps them
// (tcp/tls/tls.h). It ends with status 0 if they were called.

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "async/async.h"
#include "tcp/tls/tls.h"

static long calls = 0;

// In front of each block is its size.
constexpr std::size_t prefix = alignof(std::max_align_t);

// NOLINTBEGIN(readability-identifier-naming): BoringSSL's names
extern "C" {
void* OPENSSL_memory_alloc(std::size_t size) {
  ++calls;
  void* const block = std::malloc(prefix + size);
  if (!block) return nullptr;
  *static_cast<std::size_t*>(block) = size;
  return static_cast<char*>(block) + prefix;
}
void OPENSSL_memory_free(void* memory) { std::free(static_cast<char*>(memory) - prefix); }
std::size_t OPENSSL_memory_get_size(void* memory) {
  return *reinterpret_cast<std::size_t*>(static_cast<char*>(memory) - prefix);
}
}
// NOLINTEND(readability-identifier-naming)

int main() {
  async::Scheduler::go([]() -> async::Deferred<> {
    async::Tls::client();
    co_return;
  });
  std::printf("own hooks were called %ld times\n", calls);
  return calls > 0 ? 0 : 1;
}
