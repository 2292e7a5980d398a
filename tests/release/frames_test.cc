// What framing costs: nothing for a frame, however small.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "async/async.h"
#include "tcp/tcp.h"
#include "tests/support/allocations.h"

namespace async {
namespace {

constexpr int num_frames = 100'000;

// All frames of two bytes that come before a "." are read by `read`, which returns their number.
template <class F>
Deferred<std::uint64_t> allocations_of(F read) {
  const auto server = co_await Tcp::Server::create(
      Tcp::on_port_chosen_by_os(),
      [](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
        while (co_await reader.read_line()) {
          const auto frames = std::make_shared<const std::string>(2 * num_frames, 'f');
          writer.schedule(*frames, frames);
          writer.write("..");
        }
      });
  const auto [socket, reader, writer] =
      co_await Tcp::connect(Tcp::to_host_and_port("127.0.0.1", server.listening_on()));
  std::uint64_t before = 0;
  for (int round = 0; round < 3; ++round) {  // the first ones warm up
    writer.write_line("more");
    before = allocations();
    EXPECT_EQ(co_await read(reader), num_frames);
  }
  const std::uint64_t made = allocations() - before;
  co_await writer.close();
  co_await server.close();
  co_return made;
}

// One for the bytes that the server sends, and a few for sending them.
constexpr std::uint64_t few = 50;

TEST(A_hundred_thousand_small_frames, cost_no_allocation_each_by_read_frame) {
  EXPECT_LE(Scheduler::go([] {
              return allocations_of([](Reader reader) -> Deferred<int> {
                reader.expect(2);
                int n = 0;
                while (*co_await reader.read_frame() != "..") ++n;
                co_return n;
              });
            }),
            few);
}

TEST(A_hundred_thousand_small_frames, cost_no_allocation_each_by_chunks) {
  EXPECT_LE(Scheduler::go([] {
              return allocations_of([](Reader reader) -> Deferred<int> {
                int n = 0;
                co_await reader.read_one_chunk_at_a_time([&n](std::string_view chunk) {
                  if (chunk.size() < 2) return Handle_chunk_result::consumed(0, 2);
                  if (chunk.starts_with("..")) return Handle_chunk_result::stop(2);
                  ++n;
                  return Handle_chunk_result::consumed(2);
                });
                co_return n;
              });
            }),
            few);
}

}  // namespace
}  // namespace async
