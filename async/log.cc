#include "async/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

namespace async::Log {

namespace {

std::atomic<Level> lowest_level = Level::Info;

struct Shared_sink {
  std::mutex mutex;
  Sink sink;
};

// Never destroyed: threads and static destructors may log to the very end.
Shared_sink& shared_sink() {
  static auto* const shared = new Shared_sink;
  return *shared;
}

void write_to_stderr(Level level, std::string_view message) {
  std::string line = "async_uv: ";
  line.append(to_string(level)).append(": ").append(message).append("\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Error:
      return "error";
  }
  return "unknown";
}

void set_sink(Sink sink) {
  // The sink before ends with the parameter, when the lock is open again: it may log.
  const std::scoped_lock lock(shared_sink().mutex);
  shared_sink().sink.swap(sink);
}

void set_level(Level level) { lowest_level = level; }

Level level() { return lowest_level; }

void debug(std::string_view text) { message(Level::Debug, text); }
void info(std::string_view text) { message(Level::Info, text); }
void error(std::string_view text) { message(Level::Error, text); }

void message(Level level, std::string_view text) {
  if (level < lowest_level.load()) return;
  const std::scoped_lock lock(shared_sink().mutex);
  if (shared_sink().sink) {
    shared_sink().sink(level, text);
  } else {
    write_to_stderr(level, text);
  }
}

}  // namespace async::Log
