// Filters: what is written and what arrives, changed or swallowed; and observers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"
#include "tests/support/recording_monitor.h"
#include "tests/support/recording_observer.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Simulation;

/// Puts its name around each write, and around each chunk.
class Brackets final : public Filter {
 public:
  explicit Brackets(char name) : name_(name) {}
  void sent(std::string_view bytes, std::string& out) override {
    out.append(1, name_).append(bytes).append(1, name_);
  }
  void received(std::string_view bytes, std::string& out) override { sent(bytes, out); }

 private:
  char name_;
};

/// Keeps nothing but digits.
class Digits final : public Filter {
 public:
  void sent(std::string_view bytes, std::string& out) override {
    for (const char c : bytes) {
      if (c >= '0' && c <= '9') out += c;
    }
  }
  void received(std::string_view bytes, std::string& out) override { sent(bytes, out); }
};

class Throws final : public Filter {
 public:
  void sent(std::string_view, std::string&) override { throw std::runtime_error("not this"); }
  void received(std::string_view, std::string&) override { throw std::runtime_error("nor that"); }
};

TEST(Filter, changes_each_write_by_itself_in_all_its_ways) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.add_filter(std::make_shared<Brackets>('|'));
    const std::array<std::string_view, 3> parts{"x", "", "y"};
    end.writer.write("write");
    end.writer.write_line("line");
    end.writer.write_char('c');
    end.writer.schedule("scheduled");
    end.writer.schedule("owned", nullptr);
    end.writer.writev(parts);
    end.writer.schedule_iovecs(std::vector<Iovec>{{.bytes = "iovec", .owner = nullptr}});
    EXPECT_TRUE(end.writer.try_write("try"));
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->written(), "|write||line||\n||c||scheduled||owned||x||y||iovec||try|");
    EXPECT_EQ(end.writer.bytes_written(), wire->written().size());
  });
}

TEST(Filter, changes_what_has_arrived_before_it_can_be_read) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.add_filter(std::make_shared<Brackets>('|'));
    auto read = end.reader.read_chunk();
    wire->arrive("abc");
    EXPECT_EQ(co_await read, "|abc|");
    const auto six = end.reader.really_read(6);
    wire->arrive("d");
    wire->arrive("e");
    EXPECT_EQ(co_await six, "|d||e|");
  });
}

TEST(Filter, that_makes_more_of_it_than_the_buffer_holds_loses_none) {
  class Thousandfold final : public Filter {
    void received(std::string_view bytes, std::string& out) override {
      for (const char c : bytes) out.append(1000, c);
    }
  };
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.reader.set_buffer_size(16);
    ends.here.writer.add_filter(std::make_shared<Thousandfold>());
    ends.there.writer.write("ab");
    ends.there.writer.shutdown_send();
    EXPECT_TRUE(co_await ends.here.reader.contents() ==
                std::string(1000, 'a') + std::string(1000, 'b'));
  });
}

TEST(Filter, may_swallow_all_of_it) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.add_filter(std::make_shared<Digits>());
    end.writer.write("words");
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->num_write_calls, 0);
    const auto read = end.reader.read_chunk();
    wire->arrive("words");
    co_await Scheduler::yield();
    EXPECT_FALSE(read.is_determined());
    wire->arrive("4 more");
    EXPECT_EQ(co_await read, "4");
  });
}

TEST(Filters, are_stacked_with_the_newest_nearest_to_the_program) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.add_filter(std::make_shared<Brackets>('1'));
    end.writer.add_filter(std::make_shared<Brackets>('2'));
    end.writer.write("x");
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->written(), "12x21");
    const auto read = end.reader.read_chunk();
    wire->arrive("y");
    EXPECT_EQ(co_await read, "21y12");
    EXPECT_THROW(end.writer.add_filter(nullptr), std::invalid_argument);
  });
}

TEST(Filter, that_throws_has_written_nothing_and_ends_the_reading) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.add_filter(std::make_shared<Throws>());
    EXPECT_THROW(end.writer.write("x"), std::runtime_error);
    EXPECT_EQ(end.writer.bytes_received(), 0U);
    const auto read = or_error(end.reader.read());
    wire->arrive("x");
    EXPECT_STREQ((co_await read).error().what(), "nor that");
    EXPECT_TRUE((co_await or_error(end.reader.read())).error().as<std::runtime_error>());
    EXPECT_FALSE(end.writer.is_closed());
  });
}

TEST(Filter, sees_nothing_that_is_written_after_the_end) {
  Simulation().run([]() -> Deferred<> {
    const End end = fake_end(std::make_shared<Fake_wire>());
    end.writer.add_filter(std::make_shared<Throws>());
    dont_wait_for(end.writer.close().map([](const Close_result&) {}));
    EXPECT_THROW(end.writer.write("x"), Writer_closed);
    co_return;
  });
}

TEST(Filter, sees_what_is_spliced) {
  Simulation().run([]() -> Deferred<> {
    const Ends in = co_await connected_pair();
    const auto wire = std::make_shared<Fake_wire>();
    const End out = fake_end(wire);
    out.writer.add_filter(std::make_shared<Brackets>('|'));
    in.there.writer.write("abc");
    in.there.writer.shutdown_send();
    EXPECT_EQ(co_await out.writer.splice(in.here.reader), Flush_result::Flushed);
    EXPECT_EQ(wire->written(), "|abc|");
  });
}

TEST(Observer, is_told_in_jobs_and_in_order) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const auto observer = std::make_shared<Recording_observer>();
    {
      const End end = fake_end(wire);
      end.writer.observe(observer);
      const auto read = end.reader.read();
      wire->arrive("abc");
      EXPECT_THAT(observer->events, ElementsAre());
      co_await read;
      end.writer.write("four");
      co_await end.writer.flushed();
      const auto end_of_it = end.reader.read();
      wire->arrive(Io_result::eof());
      co_await end_of_it;
      co_await end.writer.close();
    }
    co_await Scheduler::yield();
    EXPECT_THAT(observer->events,
                ElementsAre("received 3", "sent 4", "closed: flushed, 0 dropped, closed"));
    EXPECT_EQ(observer.use_count(), 1);
  });
}

TEST(Observer, that_throws_is_an_error_of_the_monitor_and_hears_of_the_rest) {
  class Fails final : public Connection_observer {
   public:
    int calls = 0;
    void received(const Connection_info&, std::size_t) override {
      ++calls;
      throw std::runtime_error("the observer");
    }
  };
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    const auto observer = std::make_shared<Fails>();
    std::optional<End> made;
    monitor.under([&] { made.emplace(fake_end(wire)); });
    const End& end = *made;
    end.writer.observe(observer);
    for (const char* bytes : {"a", "b"}) {
      const auto read = end.reader.read();
      wire->arrive(bytes);
      co_await read;
    }
    co_await Scheduler::yield();
    EXPECT_EQ(observer->calls, 2);
    EXPECT_THAT(monitor.heard(), ElementsAre("the observer", "the observer"));
  });
}

}  // namespace
}  // namespace async
