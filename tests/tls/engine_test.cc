// The engine: two of them, with nothing between but bytes.

#include "tcp/tls/internal/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/tls/certificates.h"
#include "tests/tls/engines.h"

namespace async {
namespace {

using ::testing::HasSubstr;
using Kind = Tls::Error::Kind;
using Tls::internal::Engine;
using Tls::internal::Kept_output;

std::vector<std::string> cut(std::string_view text, std::size_t piece) {
  std::vector<std::string> pieces;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    pieces.emplace_back(text.substr(0, piece));
  }
  return pieces;
}

class Engine_of_version : public ::testing::TestWithParam<Tls::Version> {
 protected:
  static Tls::Server_options server() {
    Tls::Server_options options = server_options();
    options.max_version = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Tls, Engine_of_version,
                         ::testing::Values(Tls::Version::Tls_1_2, Tls::Version::Tls_1_3),
                         [](const auto& info) {
                           return info.param == Tls::Version::Tls_1_2 ? "1_2" : "1_3";
                         });

TEST_P(Engine_of_version, takes_a_handshake_in_pieces_of_any_size) {
  for (const std::size_t size : {1, 2, 3, 5, 7, 100, 1000}) {
    Both both(server());
    both.shake_hands([&](const std::string& said) { return cut(said, size); });
    EXPECT_TRUE(both.client.is_done() && both.server.is_done()) << size;
    EXPECT_EQ(both.client.engine->info().version, GetParam());
    const std::string hello = both.client.encrypt("hello");
    EXPECT_EQ(both.server.decrypt(both.server.unread + hello).text, "hello");
    EXPECT_EQ(both.client.decrypt(both.client.unread + both.server.encrypt("hi")).text, "hi");
  }
}

TEST_P(Engine_of_version, takes_records_that_are_split_anywhere) {
  Both both(server());
  both.shake_hands();
  both.client.decrypt(both.client.unread);
  both.server.decrypt(both.server.unread + both.client.encrypt("first"));
  for (std::size_t at = 0;; ++at) {
    const std::string record = both.client.encrypt("some text");
    if (at == record.size()) break;
    const Side::Got first = both.server.decrypt(record.substr(0, at));
    EXPECT_EQ(first.last, Engine::Status::Wants_input);
    EXPECT_EQ(first.text, "");
    EXPECT_EQ(both.server.decrypt(record.substr(at)).text, "some text") << at;
  }
}

TEST_P(Engine_of_version, takes_many_records_at_once_into_any_room) {
  for (const std::size_t room : {1, 7, 1000, 100'000}) {
    Both both(server());
    both.shake_hands();
    std::string sent;
    std::string records = both.server.unread;
    for (int i = 1; i < 50; ++i) {
      const std::string text(static_cast<std::size_t>(i * 13), static_cast<char>('a' + i % 26));
      sent += text;
      records += both.client.encrypt(text);
    }
    EXPECT_TRUE(both.server.decrypt(records, room).text == sent) << room;
  }
}

TEST_P(Engine_of_version, fails_a_handshake_that_ends_anywhere) {
  // What both sides say, in the order in which they do.
  std::vector<std::pair<bool, std::size_t>> said;  // by the client, how much
  {
    Both both(server());
    bool by_client = true;
    both.shake_hands([&](const std::string& text) {
      said.emplace_back(std::exchange(by_client, !by_client), text.size());
      return std::vector<std::string>{text};
    });
  }
  for (std::size_t turn = 0; turn < said.size(); ++turn) {
    for (std::size_t at = 0; at < said[turn].second; at += 29) {
      Both both(server());
      std::size_t now = 0;
      both.shake_hands([&](const std::string& text) {
        if (now++ != turn) return std::vector<std::string>{text};
        // All of it, but for its end.
        return std::vector<std::string>{text.substr(0, at)};
      });
      Side& hears = said[turn].first ? both.server : both.client;
      if (hears.is_done()) continue;  // what was missing was only tickets for later
      hears.engine->input_has_ended();
      hears.go_on("");
      EXPECT_TRUE(hears.has_failed()) << turn << " " << at;
      if (hears.has_failed()) EXPECT_EQ(hears.engine->error().kind(), Kind::Closed);
    }
  }
}

// What the header of a record says of its version need not be right before that is agreed upon.
bool is_of_version(std::string_view records, std::size_t at) {
  std::size_t begin = 0;
  for (;;) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(records[begin + i]));
    };
    const std::size_t size = 5 + byte(3) * 256 + byte(4);
    if (at < begin + size) return at == begin + 1 || at == begin + 2;
    begin += size;
  }
}

TEST_P(Engine_of_version, fails_a_handshake_of_which_any_byte_is_wrong) {
  for (std::size_t at = 0; at < 1200; at += 17) {
    Both both(server());
    std::size_t passed = 0;
    bool is_changed = false;
    both.shake_hands([&](std::string text) {
      if (at >= passed && at < passed + text.size() && !is_of_version(text, at - passed)) {
        text[at - passed] = static_cast<char>(text[at - passed] ^ 0x55);
        is_changed = true;
      }
      passed += text.size();
      return std::vector<std::string>{text};
    });
    if (!is_changed) continue;
    // It need not be seen where it happened; but the two never agree.
    EXPECT_FALSE(both.client.is_done() && both.server.is_done() &&
                 both.server.decrypt(both.server.unread + both.client.encrypt("x")).text == "x" &&
                 both.client.decrypt(both.client.unread + both.server.encrypt("y")).text == "y")
        << at;
  }
}

TEST_P(Engine_of_version, fails_a_record_of_which_any_byte_is_wrong) {
  const std::size_t size = [] {
    Both both(server());
    both.shake_hands();
    return both.client.encrypt("some text").size();
  }();
  for (std::size_t at = 0; at < size; ++at) {
    Both both(server());
    both.shake_hands();
    std::string record = both.client.encrypt("some text");
    record[at] = static_cast<char>(record[at] ^ 1);
    const Side::Got got = both.server.decrypt(both.server.unread + record);
    EXPECT_EQ(got.text, "");
    if (got.last == Engine::Status::Wants_input) continue;  // its length was changed
    EXPECT_EQ(got.last, Engine::Status::Failed);
    EXPECT_EQ(both.server.engine->error().kind(), Kind::Protocol) << at;
  }
}

TEST_P(Engine_of_version, ends_in_order_only_by_tls) {
  Both both(server());
  both.shake_hands();
  const std::string records = both.server.unread + both.client.encrypt("last words");
  Kept_output end;
  both.client.engine->end(end);
  const Side::Got got = both.server.decrypt(records + std::string(end.bytes()));
  EXPECT_EQ(got.text, "last words");
  EXPECT_EQ(got.last, Engine::Status::Ended);
  EXPECT_EQ(both.server.decrypt("").last, Engine::Status::Ended);

  // The other way is still open.
  EXPECT_EQ(both.client.decrypt(both.client.unread + both.server.encrypt("answer")).text, "answer");

  both.client.engine->input_has_ended();
  EXPECT_EQ(both.client.decrypt("").last, Engine::Status::Failed);
  EXPECT_EQ(both.client.engine->error().kind(), Kind::Truncated);
}

TEST_P(Engine_of_version, says_what_is_wrong_once_and_then_nothing_any_more) {
  Both both(server());
  both.shake_hands();
  std::string record = both.client.encrypt("text");
  record.back() = static_cast<char>(record.back() ^ 1);
  const Side::Got got = both.server.decrypt(both.server.unread + record);
  EXPECT_EQ(got.last, Engine::Status::Failed);
  EXPECT_NE(got.said, "");  // an alert
  const Side::Got again = both.server.decrypt(both.client.encrypt("more"));
  EXPECT_EQ(again.last, Engine::Status::Failed);
  EXPECT_EQ(again.said, "");
  Kept_output output;
  both.server.engine->end(output);
  EXPECT_EQ(output.bytes(), "");

  // Who hears the alert does not answer it.
  const Side::Got heard = both.client.decrypt(both.client.unread + got.said);
  EXPECT_EQ(heard.last, Engine::Status::Failed);
  EXPECT_EQ(both.client.engine->error().kind(), Kind::Refused);
  EXPECT_EQ(heard.said, "");
  both.client.engine->end(output);
  EXPECT_EQ(output.bytes(), "");
}

TEST(Engine, fails_whatever_is_no_hello) {
  const std::vector<std::string> wrong{
      "GET / HTTP/1.1\r\nHost: server\r\n\r\n",
      "CONNECT server:443 HTTP/1.1\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string(100, '\0'),
      std::string(20'000, '\xff'),
      std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x'),  // too long a record
      std::string("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9),             // too long a hello
      std::string("\x17\x03\x03\x00\x05hello", 10),                       // data at once
      std::string("\x15\x03\x01\x00\x02\x02\x28", 7),                     // an alert at once
      std::string("\x80\x2e\x01\x00\x02", 5) + std::string(43, 'x'),      // SSL 2
  };
  for (const std::string& bytes : wrong) {
    for (const auto& upgrade :
         {std::shared_ptr<const Tcp::Upgrade>(Tls::server(server_options())), tls_client()}) {
      Side side(upgrade);
      if (!side.engine->is_server()) side.go_on("");
      side.go_on(bytes);
      if (side.progress == Engine::Progress::Wants_input) {
        side.engine->input_has_ended();
        side.go_on("");
      }
      EXPECT_TRUE(side.has_failed()) << bytes.substr(0, 10);
    }
  }
}

TEST(Engine, says_so_when_the_other_side_speaks_http) {
  Side side(Tls::server(server_options()));
  side.go_on("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(side.has_failed());
  EXPECT_EQ(side.engine->error().kind(), Kind::Protocol);
  EXPECT_THAT(side.engine->error().what(), HasSubstr("http request"));
}

TEST(Engine, is_sent_no_end_of_warnings_or_empty_records) {
  for (const std::string_view record : {std::string_view("\x15\x03\x03\x00\x02\x01\x5a", 7),
                                        std::string_view("\x17\x03\x03\x00\x00", 5)}) {
    Both both([] {
      Tls::Server_options options = server_options();
      options.max_version = Tls::Version::Tls_1_2;
      return options;
    }());
    both.shake_hands();
    std::string many;
    for (int i = 0; i < 100; ++i) many += record;
    EXPECT_EQ(both.server.decrypt(both.server.unread + many).last, Engine::Status::Failed);
  }
}

TEST(Engine, has_slow_signatures_made_elsewhere) {
  for (const char* name : {"server", "rsa", "p384"}) {
    for (const auto version : {Tls::Version::Tls_1_2, Tls::Version::Tls_1_3}) {
      Tls::Server_options options = server_options(name);
      options.max_version = version;
      options.client_certificates = Tls::Client_certificates::Require;
      options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
      Both both(options, {.identity = identity("rsa")});
      const std::string hello = both.client.go_on("");
      Kept_output output;
      both.server.engine->set_input(hello);
      const auto progress = both.server.engine->handshake(output);
      const bool is_slow = std::string_view(name) != "server";
      EXPECT_EQ(progress == Engine::Progress::Wants_signature, is_slow) << name;
      if (is_slow) {
        // Who has asked for it may be gone before it is made.
        const auto signature = both.server.engine->signature();
        both.server.engine = nullptr;
        signature->make();
        EXPECT_NE(signature->bytes(), "");
      }

      Both again(options, {.identity = identity("rsa")});
      again.shake_hands();
      EXPECT_TRUE(again.client.is_done() && again.server.is_done()) << name;
      EXPECT_EQ(again.server.engine->info().peer->subject, "CN=rsa");
    }
  }
}

}  // namespace
}  // namespace async
