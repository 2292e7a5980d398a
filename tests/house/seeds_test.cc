// The table of tests/seeds/README.md: it has all rows, and what it says is so.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/house/source_tree.h"

namespace async::house {
namespace {

struct Row {
  std::string name;  // "L32"
  std::string tests;
};

/// The rows of the tables, in order.
std::vector<Row> rows() {
  std::vector<Row> result;
  std::ifstream file(ASYNC_UV_SOURCE_DIR "/tests/seeds/README.md");
  const std::regex row(R"(\| ([LPRMT][0-9]+) \|.*\| ([^|]*) \|)");
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) result.push_back({match[1], match[2]});
  }
  return result;
}

/// A test, as a table names it: its file, below tests, and "Suite.name".
using Named = std::pair<std::string, std::string>;

std::vector<Named> tests_of(const Row& row) {
  std::vector<Named> result;
  const std::regex named(R"(([a-z0-9_/]+_test\.cc): (\w+\.\w+))");
  for (std::sregex_iterator i(row.tests.begin(), row.tests.end(), named), end; i != end; ++i) {
    result.emplace_back((*i)[1], (*i)[2]);
  }
  return result;
}

/// All tests that there are.
std::set<Named> all_tests() {
  std::set<Named> result;
  const std::regex test(R"(TEST\((\w+),\s*(\w+)\))");
  for (const Source& source : sources({"tests"})) {
    if (!source.path.ends_with("_test.cc")) continue;
    std::string text;
    for (const std::string& line : source.lines) text += line + "\n";
    for (std::sregex_iterator i(text.begin(), text.end(), test), end; i != end; ++i) {
      result.emplace(source.path.substr(6), (*i)[1].str() + "." + (*i)[2].str());
    }
  }
  return result;
}

/// The rows that a test names: "L7" and "L8" of "L7_L8_anything".
std::set<std::string> rows_named_by(const std::string& test) {
  std::set<std::string> result;
  const std::regex name("[._]([LPRMT][0-9]+)(?=_)");
  for (std::sregex_iterator i(test.begin(), test.end(), name), end; i != end; ++i) {
    result.insert((*i)[1]);
  }
  return result;
}

TEST(Seeds, have_each_row_once_and_in_order) {
  std::vector<std::string> expected;
  for (const auto& [letter, last] :
       {std::pair("L", 81), {"P", 25}, {"R", 25}, {"M", 20}, {"T", 46}}) {
    for (int i = 1; i <= last; ++i) expected.push_back(letter + std::to_string(i));
  }
  std::vector<std::string> names;
  for (const Row& row : rows()) names.push_back(row.name);
  EXPECT_EQ(names, expected);
}

TEST(Seeds, each_row_has_a_test_or_a_reason_for_none) {
  const std::regex reason("(left out: .+|cannot happen: .+)");
  for (const Row& row : rows()) {
    EXPECT_TRUE(!tests_of(row).empty() || std::regex_match(row.tests, reason)) << row.name;
  }
}

TEST(Seeds, each_test_that_is_named_exists) {
  const std::set<Named> all = all_tests();
  for (const Row& row : rows()) {
    for (const auto& [file, test] : tests_of(row)) {
      EXPECT_TRUE(all.contains({file, test})) << row.name << ": " << file << ": " << test;
    }
  }
}

TEST(Seeds, each_test_here_is_named_by_the_rows_that_it_names) {
  std::map<Named, std::set<std::string>> rows_of;
  for (const Row& row : rows()) {
    for (const Named& named : tests_of(row)) rows_of[named].insert(row.name);
  }
  for (const Named& named : all_tests()) {
    if (!named.first.starts_with("seeds/") && named.first != "tls/seeds_test.cc") continue;
    EXPECT_FALSE(rows_named_by(named.second).empty()) << named.second;
    for (const std::string& row : rows_named_by(named.second)) {
      EXPECT_TRUE(rows_of[named].contains(row)) << row << " does not name " << named.second;
    }
  }
}

}  // namespace
}  // namespace async::house
