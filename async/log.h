// async/log.h: all that the library itself has to say.
//
// Layer: async.

#pragma once

#include <functional>
#include <string_view>

/// Messages go to a sink, which is stderr unless `set_sink` chose another.  The library writes
/// nowhere else.
///
/// - Threads: every function may be called from any thread; the sink is called from the
///   thread that logs, one message at a time.
namespace async::Log {

enum class Level : unsigned char { Debug, Info, Error };

/// `to_string(level)` is "debug", "info" or "error".
std::string_view to_string(Level level);

/// Called with each message, which has no line end.  It must not log, nor throw.
using Sink = std::function<void(Level level, std::string_view message)>;

/// `set_sink(sink)` sends later messages to `sink`; an empty one brings stderr back.
void set_sink(Sink sink);

/// `set_level(level)` drops messages that matter less than `level`, which is `Info` at first.
void set_level(Level level);
Level level();

void debug(std::string_view message);
void info(std::string_view message);
void error(std::string_view message);
void message(Level level, std::string_view message);

}  // namespace async::Log
