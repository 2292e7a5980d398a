// tcp/stopped.h: why an operation was ended from outside.
//
// Layer: tcp.  Read next: stop.h.

#pragma once

namespace async::Tcp {

/// By its deadline, or by its interrupt.
enum class Stopped : unsigned char { Timed_out, Interrupted };

}  // namespace async::Tcp
