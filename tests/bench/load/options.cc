#include "tests/bench/load/options.h"

#include <cerrno>
#include <functional>
#include <map>
#include <sstream>

#include "tests/bench/load/system.h"

namespace bench {

static Pids pids(const std::string& list) {
  Pids result;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) result.push_back(std::stoi(word));
  return result;
}

Options options(int argc, char** argv) {
  Options result;
  const std::map<std::string, std::function<void(const std::string&)>> setters = {
      {"--port", [&](const std::string& s) { result.port = std::stoi(s); }},
      {"--backend-port", [&](const std::string& s) { result.backend_port = std::stoi(s); }},
      {"--pids", [&](const std::string& s) { result.pids = pids(s); }},
      {"--connections", [&](const std::string& s) { result.connections = std::stoi(s); }},
      {"--size", [&](const std::string& s) { result.size = std::stoul(s); }},
      {"--depth", [&](const std::string& s) { result.depth = std::stoi(s); }},
      {"--warm-up", [&](const std::string& s) { result.warm_up = std::stod(s); }},
      {"--seconds", [&](const std::string& s) { result.seconds = std::stod(s); }},
      {"--count", [&](const std::string& s) { result.count = std::stoi(s); }},
      {"--bytes", [&](const std::string& s) { result.bytes = std::stoull(s); }},
      {"--sources", [&](const std::string& s) { result.sources = std::stoi(s); }},
  };
  errno = 0;
  if (argc < 2) give_up("usage: load MODE --port PORT --pids PID,... [--name value ...]");
  result.mode = argv[1];
  for (int i = 2; i < argc; i += 2) {
    const auto setter = setters.find(argv[i]);
    if (setter == setters.end() || i + 1 == argc) give_up(std::string("what is ") + argv[i]);
    setter->second(argv[i + 1]);
  }
  return result;
}

}  // namespace bench
