// What everything.cc is measured against on machines that are slower: a program of the C++
// library's.

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <ranges>
#include <regex>
#include <string>
#include <vector>

bool is_number(const std::string& text) {
  static const std::regex number("[0-9]+");
  return std::regex_match(text, number);
}
