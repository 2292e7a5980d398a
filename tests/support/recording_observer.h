// tests/support/recording_observer.h: an observer of connections that writes down what it is told.

#pragma once

#include <string>
#include <vector>

#include "reader_writer/observer.h"

namespace async {

struct Recording_observer final : Connection_observer {
  std::vector<std::string> events;

  void sent(const Connection_info&, std::size_t n) override {
    events.push_back("sent " + std::to_string(n));
  }
  void received(const Connection_info&, std::size_t n) override {
    events.push_back("received " + std::to_string(n));
  }
  void throttled(const Connection_info&) override { events.emplace_back("throttled"); }
  void unthrottled(const Connection_info&) override { events.emplace_back("unthrottled"); }
  void closed(const Connection_info&, const Close_result& result) override {
    events.push_back("closed: " + std::string(to_string(result.outcome)) + ", " +
                     std::to_string(result.bytes_dropped) + " dropped, " +
                     std::string(to_string(result.reason)));
  }
};

}  // namespace async
