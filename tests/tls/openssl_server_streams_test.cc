// What our client and OpenSSL's server say to each other once there is a connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/tls/openssl_server.h"
#include "tests/tls/peers.h"

namespace async {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSubsetOf;

TEST(Openssl_server, that_is_killed_has_not_ended_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-rev"});
      const auto cut_off = [&](Reader reader, Writer writer) -> Deferred<> {
        writer.write_line("hello");
        EXPECT_EQ(co_await reader.read_line(), "olleh");
        peer.program.kill();
        static_cast<void>(co_await reader.contents());
      };
      EXPECT_EQ(co_await failure_of(&peer, tls_client(), cut_off), "truncated");
    }
  });
}

TEST(Openssl_server, that_is_killed_leaves_lines_that_are_not_taken_for_whole) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version});
      const auto cut_off = [&](Reader reader, Writer) -> Deferred<> {
        peer.program.say("one\ntwo");
        EXPECT_EQ(co_await reader.read_line(), "one");
        EXPECT_EQ(co_await reader.peek(3), "two");
        peer.program.kill();
        static_cast<void>(co_await reader.read_line());
      };
      EXPECT_EQ(co_await failure_of(&peer, tls_client(), cut_off), "truncated");
    }
  });
}

TEST(Openssl_server, gives_a_page_and_ends_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-www"});
      const std::string page = co_await Tcp::with_connection(
          peer.at(), {.tls = tls_client()},
          [](auto, Reader reader, Writer writer) -> Deferred<std::string> {
            writer.write("GET / HTTP/1.0\r\n\r\n");
            co_return co_await reader.contents();
          });
      EXPECT_THAT(page, HasSubstr("200 ok"));
      EXPECT_THAT(page, HasSubstr("Ciphers supported in s_server binary"));
      EXPECT_THAT(page, HasSubstr("</HTML>"));
    }
  });
}

TEST(Openssl_server, takes_megabytes_and_hears_that_they_have_ended) {
  run_in_time([]() -> Deferred<> {
    const std::string sent = large_text(2'000'000);
    for (const std::string& version : both_versions) {
      auto peer = co_await s_server({version});
      co_await talk_to(peer.at(), tls_client(), [&](Reader reader, Writer writer) -> Deferred<> {
        writer.write(sent);
        writer.shutdown_send();
        co_await reader.drain();
      });
      co_await peer.program.says("DONE");
      EXPECT_THAT(peer.program.output(), HasSubstr(sent));
    }
  });
}

TEST(Openssl_server, sends_megabytes_in_small_records) {
  run_in_time([]() -> Deferred<> {
    const std::string sent = large_text(1'000'000);
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-max_send_frag", "512"});
      co_await talk_to(peer.at(), tls_client(), [&](Reader reader, Writer) -> Deferred<> {
        peer.program.say(sent);
        const auto got = co_await reader.really_read(sent.size());
        EXPECT_TRUE(got == sent);
      });
    }
  });
}

TEST(Openssl_server, that_asks_for_a_renegotiation_is_refused) {
  run_in_time([]() -> Deferred<> {
    const auto peer = co_await s_server({"-tls1_2"});
    const auto asked = [&](Reader reader, Writer) -> Deferred<> {
      peer.program.say("hello\n");
      EXPECT_EQ(co_await reader.read_line(), "hello");
      peer.program.say("r\n");
      static_cast<void>(co_await reader.read_line());
    };
    EXPECT_EQ(co_await failure_of(&peer, tls_client(), asked), "protocol");
  });
}

TEST(Openssl_server, changes_its_keys) {
  run_in_time([]() -> Deferred<> {
    auto peer = co_await s_server({"-tls1_3"});
    co_await talk_to(peer.at(), tls_client(), [&](Reader reader, Writer writer) -> Deferred<> {
      for (const std::string command : {"k", "K", "K"}) {
        peer.program.say("hello\n");
        EXPECT_EQ(co_await reader.read_line(), "hello");
        peer.program.say(command + "\n");
        co_await peer.program.flushed();
        // A command has to be all that it reads at once.
        writer.write_line("and back");
        co_await peer.program.says("and back\n");
      }
      writer.write_line("the end");
      co_await peer.program.says("the end\n");
      peer.program.say("of it\n");
      EXPECT_EQ(co_await reader.read_line(), "of it");
    });
  });
}

/// The lines of a file, without remarks.
std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}

TEST(Openssl_server, writes_the_same_secrets_to_its_key_log) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const Temporary_folder folder;
      const std::string ours = folder.file("ours");
      const std::string theirs = folder.file("theirs");
      const auto peer = co_await s_server({version, "-rev", "-keylogfile", theirs});
      const auto tls = tls_client({.key_log = ours});
      for (int i = 0; i < 2; ++i) co_await say_hello(peer.at(), tls);

      const std::vector<std::string> written = lines_of(ours);
      EXPECT_THAT(written, IsSubsetOf(lines_of(theirs)));
      std::set<std::string> labels;
      std::set<std::string> randoms;
      for (const std::string& line : written) {
        const std::size_t space = line.find(' ');
        labels.insert(line.substr(0, space));
        randoms.insert(line.substr(space + 1, 64));
        EXPECT_EQ(line.find(' ', space + 1), space + 65) << line;
      }
      EXPECT_EQ(randoms.size(), 2U);
      if (version == "-tls1_2") {
        EXPECT_THAT(labels, ::testing::ElementsAre("CLIENT_RANDOM"));
      } else {
        EXPECT_THAT(labels,
                    ::testing::IsSupersetOf(
                        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                         "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"}));
      }
    }
  });
}

TEST(Openssl_server, is_reached_on_a_connection_that_has_begun_without_tls) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-rev"});
      co_await Tcp::with_connection(
          peer.at(), [](auto, Reader reader, Writer writer) -> Deferred<> {
            const auto started =
                co_await Tls::start_tls(writer, tls_client(), {.peer = "localhost"});
            EXPECT_TRUE(started.has_value());
            if (started) EXPECT_EQ(started->peer->subject, "CN=server");
            writer.write_line("hello");
            EXPECT_EQ(co_await reader.read_line(), "olleh");
          });
    }
  });
}

}  // namespace
}  // namespace async
