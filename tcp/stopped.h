// tcp/stopped.h: why an operation was ended from outside.
//
// Layer: tcp.  Read next: stop.h.

#pragma once

namespace async::Tcp {

/// What has come first: its deadline, or its interrupt.
enum class Stopped : unsigned char { Timed_out, Interrupted };

}  // namespace async::Tcp
