// The bytes of the PROXY protocol.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tcp/proxy/internal/proxy_header.h"

namespace async::Tcp::Proxy_protocol {
namespace {

using namespace std::string_literals;
using internal::Said;
using ::testing::HasSubstr;

Said inet(const std::string& source, const std::string& destination) {
  return Ends{.source = Address::Inet::of_string(source),
              .destination = Address::Inet::of_string(destination)};
}

std::string v2(char version_and_command, char family, std::string_view rest,
               std::optional<std::size_t> length = std::nullopt) {
  const std::size_t n = length.value_or(rest.size());
  std::string bytes(internal::v2_signature);
  bytes += {version_and_command, family, static_cast<char>(n >> 8), static_cast<char>(n & 0xff)};
  return bytes.append(rest);
}

const std::string v4_addresses = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x04\xd2\x00\x50"s;
const Said v4_ends = inet("192.0.2.1:1234", "198.51.100.2:80");

template <class Parse>
std::string complaint(Parse parse, const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const internal::Malformed& error) {
    return error.what();
  }
  return "none";
}
std::string complaint_of_v1(const std::string& line) { return complaint(internal::parse_v1, line); }
std::string complaint_of_v2(const std::string& bytes) {
  return complaint(internal::parse_v2, bytes);
}

TEST(Proxy_header_v1, names_the_two_ends) {
  EXPECT_EQ(internal::parse_v1("PROXY TCP4 192.0.2.1 198.51.100.2 1234 80\r\n"), v4_ends);
  EXPECT_EQ(internal::parse_v1("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"),
            inet("0.0.0.0:0", "255.255.255.255:65535"));
  EXPECT_EQ(internal::parse_v1("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 2\r\n"),
            inet("[2001:db8::1]:1", "[::ffff:192.0.2.1]:2"));
}

TEST(Proxy_header_v1, may_say_that_they_are_unknown) {
  EXPECT_EQ(internal::parse_v1("PROXY UNKNOWN\r\n"), std::nullopt);
  EXPECT_EQ(internal::parse_v1("PROXY UNKNOWN whatever comes\x01 here\r\n"), std::nullopt);
  const std::string longest = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n";
  EXPECT_EQ(internal::parse_v1(longest), std::nullopt);
}

TEST(Proxy_header_v1, is_refused_if_it_is_not_exactly_as_it_should_be) {
  for (const std::string& line : {""s,
                                  "TCP4"s,
                                  "TCP4 192.0.2.1"s,
                                  "TCP4 192.0.2.1 192.0.2.2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 1"s,
                                  "TCP4 192.0.2.1 192.0.2.2 1 2 3"s,
                                  "TCP4  192.0.2.1 192.0.2.2 1 2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 1 2 "s,
                                  " TCP4 192.0.2.1 192.0.2.2 1 2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 01 2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 1 00"s,
                                  "TCP4 192.0.2.1 192.0.2.2 65536 2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 1 99999999999999999999"s,
                                  "TCP4 192.0.2.1 192.0.2.2 -1 2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 +1 2"s,
                                  "TCP4 192.0.2.1 192.0.2.2 0x1 2"s,
                                  "TCP4 192.0.2.01 192.0.2.2 1 2"s,
                                  "TCP4 192.0.2.256 192.0.2.2 1 2"s,
                                  "TCP4 192.0.2 192.0.2.2 1 2"s,
                                  "TCP4 2001:db8::1 2001:db8::2 1 2"s,
                                  "TCP6 192.0.2.1 192.0.2.2 1 2"s,
                                  "TCP6 2001:db8::1 192.0.2.2 1 2"s,
                                  "TCP6 fe80::1%1 fe80::2 1 2"s,
                                  "TCP6 [::1] ::1 1 2"s,
                                  "tcp4 192.0.2.1 192.0.2.2 1 2"s,
                                  "UDP4 192.0.2.1 192.0.2.2 1 2"s,
                                  "UNKNOWNX"s,
                                  "unknown"s,
                                  "TCP4 192.0.2.1\0 192.0.2.2 1 2"s,
                                  "TCP4\t192.0.2.1 192.0.2.2 1 2"s}) {
    EXPECT_THAT(complaint_of_v1("PROXY " + line + "\r\n"), HasSubstr("the PROXY header has "))
        << line;
  }
  EXPECT_THAT(complaint_of_v1("PROXY TCP4 192.0.2.1 198.51.100.2 1234 80\n"), HasSubstr("CR LF"));
  EXPECT_THAT(complaint_of_v1("PROXY UNKNOWN"), HasSubstr("CR LF"));
}

TEST(Proxy_header_v1, is_written_as_it_is_read) {
  EXPECT_EQ(internal::format_v1(v4_ends), "PROXY TCP4 192.0.2.1 198.51.100.2 1234 80\r\n");
  const Said v6 = inet("[2001:db8::1]:1", "[::1]:65535");
  EXPECT_EQ(internal::format_v1(v6), "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
  EXPECT_EQ(internal::parse_v1(internal::format_v1(v6)), v6);
  const auto scoped = Address::Inet(Inet_addr::v6(Inet_addr::localhost_v6().bytes(), 1), 1);
  EXPECT_EQ(internal::format_v1(Ends{.source = scoped, .destination = scoped}),
            "PROXY TCP6 ::1 ::1 1 1\r\n");
  for (const Said& said :
       {Said(), inet("192.0.2.1:1", "[::1]:1"),
        Said(Ends{.source = Address::Unix("/a"), .destination = Address::Unix("/b")})}) {
    EXPECT_EQ(internal::format_v1(said), "PROXY UNKNOWN\r\n");
  }
}

TEST(Proxy_header_v2, names_the_two_ends) {
  EXPECT_EQ(internal::parse_v2(v2(0x21, 0x11, v4_addresses)), v4_ends);
  EXPECT_EQ(internal::parse_v2(v2(0x21, 0x12, v4_addresses)), v4_ends);
  const std::string v6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s +
                         std::string(15, '\0') + "\x01\xff\xff\x00\x01"s;
  EXPECT_EQ(internal::parse_v2(v2(0x21, 0x21, v6)), inet("[2001:db8::1]:65535", "[::1]:1"));
}

TEST(Proxy_header_v2, names_unix_sockets) {
  const auto ends_of = [](std::string source, std::string destination) {
    source.resize(108);
    destination.resize(108);
    return internal::parse_v2(v2(0x21, 0x31, source + destination));
  };
  const std::string longest(108, 'x');
  EXPECT_EQ(ends_of("/a\0garbage"s, longest),
            (Ends{.source = Address::Unix("/a"), .destination = Address::Unix(longest)}));
  EXPECT_EQ(ends_of("", "\0abstract"s),
            (Ends{.source = Address::Unix(), .destination = Address::Unix("\0abstract"s)}));
}

TEST(Proxy_header_v2, may_name_none) {
  EXPECT_EQ(internal::parse_v2(v2(0x20, 0x00, "")), std::nullopt);
  EXPECT_EQ(internal::parse_v2(v2(0x20, 0x11, v4_addresses)), std::nullopt);
  EXPECT_EQ(internal::parse_v2(v2(0x20, '\xff', "whatever")), std::nullopt);
  EXPECT_EQ(internal::parse_v2(v2(0x21, 0x00, "")), std::nullopt);
  EXPECT_EQ(internal::parse_v2(v2(0x21, 0x00, "whatever")), std::nullopt);
}

TEST(Proxy_header_v2, is_refused_if_it_is_wrong) {
  EXPECT_THAT(complaint_of_v2(v2(0x11, 0x11, v4_addresses)), HasSubstr("an unknown version"));
  EXPECT_THAT(complaint_of_v2(v2(0x31, 0x11, v4_addresses)), HasSubstr("an unknown version"));
  EXPECT_THAT(complaint_of_v2(v2(0x22, 0x11, v4_addresses)), HasSubstr("an unknown command"));
  EXPECT_THAT(complaint_of_v2(v2(0x2f, 0x11, v4_addresses)), HasSubstr("an unknown command"));
  EXPECT_THAT(complaint_of_v2(v2(0x21, 0x13, v4_addresses)), HasSubstr("an unknown protocol"));
  EXPECT_THAT(complaint_of_v2(v2(0x21, 0x41, v4_addresses)), HasSubstr("an unknown family"));
  EXPECT_THAT(complaint_of_v2(v2(0x21, '\xf1', v4_addresses)), HasSubstr("an unknown family"));
  for (const auto& [family, size] :
       {std::pair('\x11', 12), std::pair('\x21', 36), std::pair('\x31', 216)}) {
    for (int i = 0; i < size; ++i) {
      EXPECT_THAT(complaint_of_v2(v2(0x21, family, std::string(static_cast<std::size_t>(i), 'x'))),
                  HasSubstr("cut off"));
    }
  }
}

TEST(Proxy_header_v2, may_have_additional_fields) {
  for (const std::string& fields : {"\x04\x00\x00"s, "\x02\x00\x03"s + "abc\x05\x00\x01x"s,
                                    "\xee\xff\x00"s + std::string(0xff00, 'x')}) {
    EXPECT_EQ(internal::parse_v2(v2(0x21, 0x11, v4_addresses + fields)), v4_ends);
  }
  for (const std::string& fields :
       {"\x04"s, "\x04\x00"s, "\x04\x00\x01"s, "\x04\xff\xffx"s, "\x02\x00\x03"s + "abc\x05"s}) {
    EXPECT_THAT(complaint_of_v2(v2(0x21, 0x11, v4_addresses + fields)), HasSubstr("cut off"));
  }
}

TEST(Proxy_header_v2, has_a_checksum_that_is_verified) {
  // Computed by another program, which gives e3069283 for "123456789".
  const std::string checksum = "\x03\x00\x04"s;
  const std::string right = checksum + "\xa1\x04\xc1\x10"s + "\x04\x00\x00"s;
  EXPECT_EQ(internal::parse_v2(v2(0x21, 0x11, v4_addresses + right)), v4_ends);
  for (std::size_t i = 0; i < 12; ++i) {
    std::string addresses = v4_addresses;
    addresses[i] = static_cast<char>(addresses[i] ^ 1);
    EXPECT_THAT(complaint_of_v2(v2(0x21, 0x11, addresses + right)), HasSubstr("a wrong checksum"));
  }
  EXPECT_THAT(complaint_of_v2(v2(0x21, 0x11, v4_addresses + checksum + "abcd")),
              HasSubstr("a wrong checksum"));
  EXPECT_THAT(complaint_of_v2(v2(0x21, 0x11, v4_addresses + "\x03\x00\x02xx"s)),
              HasSubstr("a checksum that is none"));
}

TEST(Proxy_header_v2, is_written_as_it_is_read) {
  EXPECT_EQ(internal::format_v2(v4_ends), v2(0x21, 0x11, v4_addresses));
  for (const Said& said :
       {v4_ends, inet("[2001:db8::1]:1", "[::1]:65535"),
        Said(Ends{.source = Address::Unix("\0a"s), .destination = Address::Unix("/b")}),
        Said(Ends{.source = Address::Unix(),
                  .destination = Address::Unix(std::string(108, 'x'))})}) {
    EXPECT_EQ(internal::parse_v2(internal::format_v2(said)), said);
  }
  for (const Said& said :
       {Said(), inet("192.0.2.1:1", "[::1]:1"),
        Said(Ends{.source = Address::Unix("/a"), .destination = v4_ends->source}),
        Said(Ends{.source = Address::Unix(std::string(109, 'x')),
                  .destination = Address::Unix()})}) {
    EXPECT_EQ(internal::format_v2(said), v2(0x21, 0x00, ""));
  }
}

}  // namespace
}  // namespace async::Tcp::Proxy_protocol
