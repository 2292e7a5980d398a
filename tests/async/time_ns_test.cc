#include "async/time_ns.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace async {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration;
using std::chrono::nanoseconds;

const Span shortest = nanoseconds::min();

TEST(Span, is_made_from_any_duration) {
  EXPECT_EQ(Span().ns(), 0ns);
  EXPECT_EQ(Span(7ns).ns(), 7ns);
  EXPECT_EQ(Span(250us).ns(), 250'000ns);
  EXPECT_EQ(Span(-3ms).ns(), -3'000'000ns);
  EXPECT_EQ(Span(2h).ns(), 7'200'000'000'000ns);
  EXPECT_EQ(Span(std::chrono::days(-1)).ns(), -86'400'000'000'000ns);
  EXPECT_EQ(Span(duration<std::int8_t>(100)).ns(), 100s);
  EXPECT_EQ(Span(duration<double>(0.5)).ns(), 500ms);
  EXPECT_EQ(Span(duration<float, std::micro>(-0.25F)).ns(), -250ns);
}

TEST(Span, is_made_from_a_duration_without_sign) {
  EXPECT_EQ(Span(duration<std::uint8_t>(200)).ns(), 200s);
  EXPECT_EQ(Span(duration<std::uint32_t, std::milli>(5)).ns(), 5ms);
}

// Whether `Span(d)` can be part of a constant expression.
template <class Duration>
concept Makes_a_constant = requires { typename std::bool_constant<(Span(Duration(5)) > Span())>; };

TEST(Span, can_be_a_constant) {
  EXPECT_TRUE(Makes_a_constant<std::chrono::seconds>);
  EXPECT_TRUE(Makes_a_constant<std::chrono::nanoseconds>);
  EXPECT_TRUE(Makes_a_constant<duration<double>>);
}

TEST(Span, drops_what_is_finer_than_a_nanosecond) {
  EXPECT_EQ(Span(duration<int, std::pico>(2999)).ns(), 2ns);
  EXPECT_EQ(Span(duration<int, std::pico>(-2999)).ns(), -2ns);
}

TEST(Span, of_a_duration_that_is_too_long_is_the_longest) {
  EXPECT_EQ(Span(std::chrono::hours::max()), Span::max());
  EXPECT_EQ(Span(std::chrono::microseconds::max()), Span::max());
  EXPECT_EQ(Span(std::chrono::years(300)), Span::max());
  EXPECT_EQ(Span(duration<double>(1e30)), Span::max());
  EXPECT_EQ(Span(duration<double>(std::numeric_limits<double>::infinity())), Span::max());
  EXPECT_EQ(Span::max().ns(), nanoseconds::max());

  EXPECT_EQ(Span(std::chrono::hours::min()), shortest);
  EXPECT_EQ(Span(duration<double>(-1e30)), shortest);
  EXPECT_EQ(Span(duration<double>(-std::numeric_limits<double>::infinity())), shortest);
}

TEST(Span, keeps_the_longest_duration_that_fits) {
  EXPECT_EQ(Span(9'223'372'036s).ns(), 9'223'372'036'000'000'000ns);
  EXPECT_EQ(Span(9'223'372'037s), Span::max());
  EXPECT_EQ(Span(-9'223'372'036s).ns(), -9'223'372'036'000'000'000ns);
  EXPECT_EQ(Span(-9'223'372'037s), shortest);
}

TEST(Span, is_ordered) {
  EXPECT_LT(Span(999us), Span(1ms));
  EXPECT_EQ(Span(1000us), Span(1ms));
  EXPECT_GT(Span(), Span(-1ns));
}

TEST(Span, can_be_added_to_a_point_in_time) {
  const Time_ns noon(12h);
  EXPECT_EQ(noon + Span(1min), Time_ns(12h + 1min));
  EXPECT_EQ(noon + Span(-13h), Time_ns(-1h));
  EXPECT_EQ(noon + Span(), noon);
}

TEST(Span, added_to_a_point_in_time_does_not_go_beyond_the_last_one) {
  EXPECT_EQ(Time_ns(1ns) + Span::max(), Time_ns::max());
  EXPECT_EQ(Time_ns::max() + Span(1ns), Time_ns::max());
  EXPECT_EQ(Time_ns::max() + Span::max(), Time_ns::max());
  EXPECT_EQ(Time_ns(-1ns) + shortest, Time_ns::min());
  EXPECT_EQ(Time_ns::min() + Span(-1ns), Time_ns::min());

  EXPECT_EQ(Time_ns::max() + Span(-1ns), Time_ns(nanoseconds::max() - 1ns));
  EXPECT_EQ(Time_ns(nanoseconds::max() - 1ns) + Span(1ns), Time_ns::max());
  EXPECT_EQ(Time_ns(-1ns) + Span::max(), Time_ns(nanoseconds::max() - 1ns));
  EXPECT_EQ(Time_ns::min() + Span::max(), Time_ns(-1ns));
}

TEST(Span, as_a_text_is_short_and_exact) {
  EXPECT_EQ(to_string(Span()), "0s");
  EXPECT_EQ(to_string(Span(7ns)), "7ns");
  EXPECT_EQ(to_string(Span(250us)), "250us");
  EXPECT_EQ(to_string(Span(999'999ns)), "999.999us");
  EXPECT_EQ(to_string(Span(500ms)), "500ms");
  EXPECT_EQ(to_string(Span(1'050'000ns)), "1.05ms");
  EXPECT_EQ(to_string(Span(1500ms)), "1.5s");
  EXPECT_EQ(to_string(Span(1s + 1ns)), "1.000000001s");
  EXPECT_EQ(to_string(Span(59s)), "59s");
  EXPECT_EQ(to_string(Span(60s)), "1m");
  EXPECT_EQ(to_string(Span(123s)), "2m3s");
  EXPECT_EQ(to_string(Span(90min)), "1h30m");
  EXPECT_EQ(to_string(Span(24h)), "24h");
  EXPECT_EQ(to_string(Span(1h + 1ns)), "1h0.000000001s");
}

TEST(Span, as_a_text_may_be_negative) {
  EXPECT_EQ(to_string(Span(-7ns)), "-7ns");
  EXPECT_EQ(to_string(Span(-1500ms)), "-1.5s");
  EXPECT_EQ(to_string(Span(-123s)), "-2m3s");
}

TEST(Span, as_a_text_may_be_as_long_as_can_be) {
  EXPECT_EQ(to_string(Span::max()), "2562047h47m16.854775807s");
  EXPECT_EQ(to_string(shortest), "-2562047h47m16.854775808s");
}

}  // namespace
}  // namespace async
