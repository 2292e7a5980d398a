// The hooks by which BoringSSL gets its memory (tcp/tls/internal/ssl.h).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <thread>
#include <vector>

#include "tests/support/bytes_in_use.h"
#include "tests/tls/certificates.h"

// NOLINTBEGIN(readability-identifier-naming): BoringSSL's names
extern "C" {
void* OPENSSL_memory_alloc(std::size_t size);
void OPENSSL_memory_free(void* memory);
std::size_t OPENSSL_memory_get_size(void* memory);
}
// NOLINTEND(readability-identifier-naming)

namespace async {
namespace {

TEST(Memory_of_boringssl, is_aligned_and_as_large_as_was_asked_for) {
  for (const std::size_t size : {0, 1, 15, 16, 17, 500, 8'192, 100'000}) {
    void* const memory = OPENSSL_memory_alloc(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % alignof(std::size_t), 0U);
    EXPECT_EQ(OPENSSL_memory_get_size(memory), size);
    std::memset(memory, 'x', size);
    OPENSSL_memory_free(memory);
  }
}

TEST(Memory_of_boringssl, is_cleansed_when_it_is_given_back) {
  constexpr std::size_t size = 5'000;
  void* const secret = OPENSSL_memory_alloc(size);
  std::memset(secret, 'x', size);
  OPENSSL_memory_free(secret);
  void* const again = OPENSSL_memory_alloc(size);
  ASSERT_EQ(again, secret);  // it came from the pool
  const std::span bytes(static_cast<const char*>(again), size);
  EXPECT_TRUE(std::ranges::all_of(bytes, [](char c) { return c == 0; }));
  OPENSSL_memory_free(again);
}

TEST(Memory_of_boringssl, that_cannot_be_had_is_a_null_pointer) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(OPENSSL_memory_alloc(most), nullptr);
  EXPECT_EQ(OPENSSL_memory_alloc(most / 2 - 100), nullptr);
}

std::vector<void*> a_burst() {
  std::vector<void*> blocks(10'000);
  for (void*& block : blocks) block = OPENSSL_memory_alloc(4'000);
  return blocks;
}

TEST(Memory_of_boringssl, goes_back_after_a_burst_but_for_some_4_MiB) {
  const std::size_t before = bytes_in_use();
  for (void* block : a_burst()) OPENSSL_memory_free(block);  // of 40 MB
  EXPECT_LT(bytes_in_use(), before + (6U << 20));
}

TEST(Memory_of_boringssl, may_come_from_another_thread_and_goes_back_as_well) {
  const std::size_t before = bytes_in_use();
  std::vector<void*> blocks;
  std::thread([&blocks] { blocks = a_burst(); }).join();
  for (void* block : blocks) OPENSSL_memory_free(block);
  EXPECT_LT(bytes_in_use(), before + (6U << 20));
}

// Which links the file that has the hooks.
TEST(Memory_of_boringssl, is_enough_for_a_client) { EXPECT_NE(tls_client(), nullptr); }

}  // namespace
}  // namespace async
