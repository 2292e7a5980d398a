// The encrypted transport by itself: what it hands over, and in how many calls.

#include "tcp/tls/internal/tls_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tests/support/fake_transport.h"
#include "tests/tls/engines.h"

namespace async {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Le;
using ::testing::SizeIs;
using Status = Io_result::Status;
using Tls::internal::Tls_transport;

constexpr std::size_t record = 16 * 1024;

/// A server's transport over a wire, and the client at its other end.
struct Encrypted {
  Encrypted() {
    Both both;
    both.shake_hands();
    client = std::make_unique<Side>(std::move(both.client));
    transport = std::make_unique<Tls_transport>(std::make_unique<Fake_transport>(wire),
                                                std::move(both.server.engine), "");
    // The tickets leave with the first write.
    EXPECT_EQ(write("first"), 5U);
    EXPECT_EQ(said(), "first");
  }

  std::size_t write(std::vector<std::string_view> parts) const {
    const Io_result result = transport->write(parts);
    EXPECT_EQ(result.status, result.bytes > 0 ? Status::Ok : Status::Would_block);
    return result.bytes;
  }
  std::size_t write(std::string_view bytes) const {
    return write(std::vector<std::string_view>{bytes});
  }

  /// `said()` is what the client gets of all that was handed over since this was called last.
  std::string said() {
    const std::string bytes = wire->written();
    num_calls = wire->writes.size();
    wire->writes.clear();
    wire->num_parts.clear();
    const Side::Got got = client->decrypt(bytes);
    last = got.last;
    return got.text;
  }

  const std::shared_ptr<Fake_wire> wire = std::make_shared<Fake_wire>();
  std::unique_ptr<Side> client;
  std::unique_ptr<Tls_transport> transport;
  std::size_t num_calls = 0;
  Tls::internal::Engine::Status last = Tls::internal::Engine::Status::Done;
};

void with_encrypted(const std::function<void(Encrypted&)>& f) {
  testing::Simulation().run([&]() -> Deferred<> {
    Encrypted encrypted;
    f(encrypted);
    co_return;
  });
}

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 23);
  return text;
}

TEST(Tls_transport, hands_over_a_small_reply_by_one_call_and_so_many_small_parts) {
  with_encrypted([](Encrypted& e) {
    EXPECT_EQ(e.write("hello"), 5U);
    EXPECT_THAT(e.wire->num_parts, ElementsAre(1));
    EXPECT_EQ(e.said(), "hello");
    EXPECT_EQ(e.write({"one, ", "two, ", "three"}), 15U);
    EXPECT_THAT(e.wire->writes, ElementsAre(SizeIs(15 + 22)));  // one record
    EXPECT_EQ(e.said(), "one, two, three");
  });
}

TEST(Tls_transport, hands_over_several_records_by_one_call_of_which_the_last_is_not_copied) {
  with_encrypted([](Encrypted& e) {
    const std::string text = text_of(2 * record + 5000);
    EXPECT_EQ(e.write(text), text.size());
    EXPECT_THAT(e.wire->num_parts, ElementsAre(2));
    EXPECT_EQ(e.said(), text);
    const std::string small_end = text_of(record + 10);
    EXPECT_EQ(e.write(small_end), small_end.size());
    EXPECT_THAT(e.wire->num_parts, ElementsAre(1));
    EXPECT_EQ(e.said(), small_end);
  });
}

TEST(Tls_transport, hands_over_no_more_at_once_than_a_packet_of_a_loopback_can_have) {
  constexpr std::size_t packet = 64 * 1024 - 53;  // without the headers of IP and TCP
  with_encrypted([](Encrypted& e) {
    const std::string text = text_of(40 * record + 1);
    EXPECT_EQ(e.write({std::string_view(text).substr(0, 100), std::string_view(text).substr(100)}),
              text.size());
    EXPECT_THAT(e.wire->writes, SizeIs(14));
    EXPECT_THAT(e.wire->writes, Each(SizeIs(Le(packet))));
    EXPECT_EQ(e.said(), text);
  });
}

TEST(Tls_transport, counts_bytes_when_all_of_their_record_has_left_and_encrypts_no_more_meanwhile) {
  with_encrypted([](Encrypted& e) {
    const std::string text = text_of(3 * record);
    e.wire->room = record + 22 + 10;  // one record, and a little of the next one
    EXPECT_EQ(e.write(text), record);
    const std::string_view rest = std::string_view(text).substr(record);
    EXPECT_EQ(e.write(rest), 0U);
    EXPECT_EQ(e.transport->unacknowledged(), 2 * (record + 22) - 10);
    e.wire->room = 2 * record;
    EXPECT_EQ(e.write(rest), record);
    EXPECT_EQ(e.write(rest.substr(record)), 0U);
    e.wire->room = 10 * record;
    EXPECT_EQ(e.write({rest.substr(record), "more"}), record + 4);
    EXPECT_EQ(e.said(), text + "more");
  });
}

TEST(Tls_transport, gives_its_end_a_place_behind_what_waits_and_tells_the_one_below_last) {
  with_encrypted([](Encrypted& e) {
    e.wire->room = 10;
    EXPECT_EQ(e.write("hello"), 0U);
    EXPECT_FALSE(e.transport->shutdown_send());
    EXPECT_TRUE(e.wire->wants_writable);
    EXPECT_FALSE(e.wire->has_sent_end);
    e.wire->room = 25;  // the rest of the record, and a part of the end
    EXPECT_EQ(e.write("hello"), 5U);
    EXPECT_FALSE(e.wire->has_sent_end);
    e.wire->room = 1000;
    e.transport->want_writable(false);  // nobody else has anything to say
    EXPECT_TRUE(e.wire->has_sent_end);
    EXPECT_FALSE(e.wire->wants_writable);
    EXPECT_EQ(e.said(), "hello");
    EXPECT_EQ(e.last, Tls::internal::Engine::Status::Ended);
  });
}

TEST(Tls_transport, keeps_the_order_even_if_there_is_room_again) {
  with_encrypted([](Encrypted& e) {
    e.wire->room = 10;
    EXPECT_EQ(e.write("hello"), 0U);
    e.wire->room = 1000;
    EXPECT_FALSE(e.transport->shutdown_send());
    EXPECT_TRUE(e.wire->wants_writable);
    EXPECT_EQ(e.write("hello"), 5U);
    EXPECT_TRUE(e.wire->has_sent_end);
    EXPECT_EQ(e.said(), "hello");
    EXPECT_EQ(e.last, Tls::internal::Engine::Status::Ended);
  });
}

TEST(Tls_transport, says_its_end_at_once_by_one_call_if_nothing_waits) {
  with_encrypted([](Encrypted& e) {
    EXPECT_FALSE(e.transport->shutdown_send());
    EXPECT_TRUE(e.wire->has_sent_end);
    EXPECT_THAT(e.wire->num_parts, ElementsAre(1));
    e.transport->close(Transport::How::In_order);
    EXPECT_EQ(e.said(), "");
    EXPECT_EQ(e.num_calls, 1U);
    EXPECT_EQ(e.last, Tls::internal::Engine::Status::Ended);
  });
}

TEST(Tls_transport, fails_with_the_error_of_the_one_below) {
  with_encrypted([](Encrypted& e) {
    e.wire->write_error = io_error_of_errno(ECONNRESET);
    const std::string_view text = "hello";
    for (int i = 0; i < 2; ++i) {
      const Io_result result = e.transport->write({&text, 1});
      EXPECT_EQ(result.status, Status::Error);
      EXPECT_EQ(result.error(), std::errc::connection_reset);
    }
  });
}

TEST(Tls_transport, gives_what_has_no_room_before_it_reads_again_and_says_that_there_is_more) {
  testing::Simulation().run([]() -> Deferred<> {
    Encrypted e;
    const std::string text = text_of(1000);
    const std::string next = text_of(500);
    e.wire->bytes_to_read = e.client->encrypt(text) + e.client->encrypt(next);
    std::string got;
    std::string room(300, ' ');
    for (;;) {
      const Io_result result = e.transport->read(room);
      if (result.status != Status::Ok) break;
      got += room.substr(0, result.bytes);
    }
    EXPECT_EQ(got, text + next);
    co_return;
  });
}

}  // namespace
}  // namespace async
