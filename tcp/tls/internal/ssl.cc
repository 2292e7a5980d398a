#include "tcp/tls/internal/ssl.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

#include "async/internal/thread_state.h"

namespace async::Tls::internal {

Ssl_error take_ssl_error() {
  Ssl_error error;
  if (const std::uint32_t code = ERR_get_error(); code != 0) {
    error.library = ERR_GET_LIB(code);
    error.reason = ERR_GET_REASON(code);
    const char* text = ERR_reason_error_string(code);
    error.text = text ? text : "unknown error";
    for (char& c : error.text) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  }
  ERR_clear_error();
  return error;
}

std::string contents(BIO& bio) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(&bio, &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string to_string(X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return contents(*bio);
}

namespace {

// In front of each block, which is aligned for it alone, as those are that BoringSSL makes without
// hooks.
struct Block_header {
  std::size_t size;  // with the header
};

// What this thread's pool may hold of BoringSSL's at most, so that memory of a burst of
// connections, or of what other threads have made, goes back.  It is an estimate: a block that the
// pool did not have is taken for one that it had.
constexpr std::size_t most_kept = 4 << 20;
[[gnu::tls_model("initial-exec")]] constinit thread_local std::size_t kept = 0;

Block_header& header_of(void* memory) { return *(static_cast<Block_header*>(memory) - 1); }

}  // namespace

}  // namespace async::Tls::internal

// Their names are BoringSSL's, which asks for them as weak symbols, and so calls them if it can.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

[[gnu::weak, gnu::visibility("default")]] void* OPENSSL_memory_alloc(std::size_t size) {
  using namespace async::Tls::internal;
  if (size > std::numeric_limits<std::size_t>::max() - sizeof(Block_header)) return nullptr;
  size += sizeof(Block_header);
  try {
    void* const block = async::internal::thread_state.pool.allocate(size);
    kept -= std::min(kept, size);
    return ::new (block) Block_header{size} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

[[gnu::weak, gnu::visibility("default")]] void OPENSSL_memory_free(void* memory) {
  using namespace async::Tls::internal;
  Block_header& header = header_of(memory);
  const std::size_t size = header.size;
  OPENSSL_cleanse(memory, size - sizeof(Block_header));  // there may have been keys in it
  if (kept + size > most_kept) return ::operator delete(&header);
  kept += size;
  async::internal::thread_state.pool.release(&header, size);
}

[[gnu::weak, gnu::visibility("default")]] std::size_t OPENSSL_memory_get_size(void* memory) {
  using namespace async::Tls::internal;
  return header_of(memory).size - sizeof(Block_header);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
