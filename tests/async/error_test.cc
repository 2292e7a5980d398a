#include "async/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "async/errors.h"
#include "async/or_error.h"

namespace async {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

struct Custom : std::runtime_error {
  explicit Custom(int code) : std::runtime_error("custom"), code(code) {}
  int code;
};

struct No_exception_class {};

/// `caught(e)` is the `Error::current()` of a handler of `e`.
template <class E>
Error caught(E e) {
  try {
    throw e;
  } catch (...) {
    return Error::current();
  }
}

TEST(Error, of_a_message_holds_a_runtime_error) {
  const Error error("message");
  EXPECT_STREQ(error.what(), "message");
  EXPECT_STREQ(error.as<std::runtime_error>()->what(), "message");
  EXPECT_THROW(error.rethrow(), std::runtime_error);
}

TEST(Error, of_a_message_remembers_where_it_was_made) {
  const int line = __LINE__ + 1;
  const Error error("message");
  const auto where = error.raised_at();
  ASSERT_TRUE(where);
  EXPECT_THAT(where->file_name(), EndsWith("error_test.cc"));
  EXPECT_EQ(where->line(), static_cast<unsigned>(line));
}

TEST(Error, of_an_exception_does_not_know_where_it_was_raised) {
  EXPECT_EQ(caught(std::runtime_error("x")).raised_at(), std::nullopt);
  EXPECT_EQ(Error(Custom(1)).raised_at(), std::nullopt);
}

TEST(Error, holds_any_exception) {
  EXPECT_STREQ(Error(Custom(7)).what(), "custom");
  EXPECT_EQ(Error(Custom(7)).as<Custom>()->code, 7);
  EXPECT_STREQ(caught(Custom(7)).what(), "custom");
  EXPECT_STREQ(caught(std::string("a string")).what(), "a string");
  EXPECT_STREQ(caught("characters").what(), "characters");
  EXPECT_THAT(caught(42).what(), HasSubstr("int"));
  EXPECT_THAT(caught(No_exception_class()).what(), HasSubstr("No_exception_class"));
  EXPECT_STREQ(Error(std::make_exception_ptr(Custom(7))).what(), "custom");
}

TEST(Error, of_an_lvalue_holds_a_copy) {
  Custom custom(7);
  const Error error(custom);
  custom.code = 8;
  EXPECT_EQ(error.as<Custom>()->code, 7);
}

TEST(Error, as_finds_the_class_or_a_base_of_it) {
  const Error error{Custom(7)};
  EXPECT_TRUE(error.as<Custom>());
  EXPECT_TRUE(error.as<std::runtime_error>());
  EXPECT_TRUE(error.as<std::exception>());
  EXPECT_FALSE(error.as<std::logic_error>());
  EXPECT_FALSE(error.as<int>());
  EXPECT_EQ(*caught(42).as<int>(), 42);
  EXPECT_FALSE(caught(42).as<std::exception>());
}

TEST(Error, as_points_into_the_exception_that_it_shares) {
  const Error error{Custom(7)};
  const Error copy = error;
  EXPECT_EQ(error.as<Custom>(), copy.as<Custom>());
  EXPECT_EQ(error.exception(), copy.exception());
}

TEST(Error, rethrows_the_exception_itself) {
  const Error error{Custom(7)};
  try {
    error.with_context("context").rethrow();
    ADD_FAILURE();
  } catch (const Custom& e) {
    EXPECT_EQ(e.code, 7);
    EXPECT_EQ(&e, error.as<Custom>());
    EXPECT_STREQ(e.what(), "custom");
  }
}

TEST(Error, with_context_puts_the_text_before_the_message) {
  const Error error{Custom(7)};
  const Error inner = error.with_context("read the file");
  const Error outer = inner.with_context("load the settings");
  EXPECT_STREQ(outer.what(), "load the settings: read the file: custom");
  EXPECT_STREQ(inner.what(), "read the file: custom");
  EXPECT_STREQ(error.what(), "custom");
  EXPECT_EQ(outer.as<Custom>()->code, 7);
}

TEST(Error, with_context_still_knows_where_it_was_made) {
  const Error error("x");
  EXPECT_EQ(error.with_context("y").raised_at()->line(), error.raised_at()->line());
}

TEST(Error, what_is_valid_as_long_as_a_copy_lives) {
  std::optional<Error> error(std::in_place, std::string(100, 'x'));
  const Error copy = *error;
  const char* what = error->what();
  error.reset();
  EXPECT_EQ(what, std::string(100, 'x'));
}

TEST(Error, can_be_assigned) {
  Error error("first");
  error = Error("second");
  EXPECT_STREQ(error.what(), "second");
  Error moved = std::move(error);
  error = Error("third");
  EXPECT_STREQ(moved.what(), "second");
  EXPECT_STREQ(error.what(), "third");
  static_assert(std::is_nothrow_move_constructible_v<Error>);
}

TEST(Error, is_made_of_nothing_by_accident) {
  static_assert(!std::is_default_constructible_v<Error>);
  static_assert(!std::is_convertible_v<std::string, Error>);
  static_assert(!std::is_convertible_v<std::exception_ptr, Error>);
  static_assert(!std::is_constructible_v<Error, int>);
}

TEST(Error, may_be_copied_to_another_thread) {
  std::optional<Error> there;
  {
    const Error error = Error(Custom(7)).with_context("context");
    std::thread thread([&there, error] { there = error.with_context("thread"); });
    thread.join();
  }
  EXPECT_STREQ(there->what(), "thread: context: custom");
  EXPECT_EQ(there->as<Custom>()->code, 7);
}

TEST(Or_error, is_a_value_or_an_error) {
  const Or_error<int> value = 5;
  const Or_error<int> error = std::unexpected(Error("x"));
  EXPECT_EQ(value.value(), 5);
  EXPECT_STREQ(error.error().what(), "x");
}

TEST(Errors, say_what_happened) {
  EXPECT_THAT(Abandoned().what(), HasSubstr("abandoned"));
  EXPECT_THAT(Scheduler_ended().what(), HasSubstr("ended"));
  EXPECT_THAT(No_scheduler().what(), HasSubstr("no scheduler"));
  EXPECT_THAT(Already_filled().what(), HasSubstr("filled"));
  static_assert(std::is_base_of_v<std::exception, Abandoned>);
  static_assert(std::is_base_of_v<std::logic_error, No_scheduler>);
}

}  // namespace
}  // namespace async
