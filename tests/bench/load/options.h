// tests/bench/load/options.h: what the command line asks for.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/bench/load/measurement.h"

namespace bench {

struct Options {
  std::string mode;
  int port = 0;
  /// Where the load is also the server behind a proxy; 0 if there is none.
  int backend_port = 0;
  /// Whose time and memory is measured.
  Pids pids;
  int connections = 1;
  /// Bytes of a request.
  std::size_t size = 64;
  /// Requests under way on each connection.
  int depth = 1;
  double warm_up = 0.2;
  double seconds = 0.5;
  /// How many connections `churn` makes.
  int count = 5000;
  /// How much `bulk` moves in each direction.
  std::uint64_t bytes = 1 << 30;
  /// From how many addresses clients come.
  int sources = 1;
};

/// `options(argc, argv)` reads `MODE --name value ...`, and gives up if that is not right.
Options options(int argc, char** argv);

}  // namespace bench
