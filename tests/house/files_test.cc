// How files look.

#include <gtest/gtest.h>

#include <string>

#include "tests/house/source_tree.h"

namespace async::house {
namespace {

const std::vector<std::string> all_folders = {"async", "reader_writer", "tcp", "tests", "examples"};

TEST(Files, none_is_longer_than_400_lines) {
  for (const Source& source : sources(all_folders)) {
    EXPECT_LE(source.lines.size(), 400u) << source.path;
  }
}

TEST(Files, headers_begin_with_what_they_are_their_layer_and_what_to_read_next) {
  for (const Source& source : sources(library_folders)) {
    if (!source.is_header()) continue;
    ASSERT_FALSE(source.lines.empty()) << source.path;
    EXPECT_TRUE(source.lines[0].starts_with("// " + source.path + ": ")) << source.path;
    std::string comment;
    for (const std::string& line : source.lines) {
      if (!line.starts_with("//")) break;
      comment += line + "\n";
    }
    EXPECT_NE(comment.find("\n// Layer: "), std::string::npos) << source.path;
  }
}

TEST(Files, headers_are_guarded_by_pragma_once) {
  for (const Source& source : sources(library_folders)) {
    if (!source.is_header()) continue;
    EXPECT_NE(std::find(source.lines.begin(), source.lines.end(), "#pragma once"),
              source.lines.end())
        << source.path;
  }
}

TEST(Files, bodies_of_templates_are_included_by_the_header_that_they_belong_to) {
  for (const Source& source : sources(library_folders)) {
    for (const std::string& line : source.lines) {
      const std::string name = included(line);
      if (!name.ends_with("-inl.h\"")) continue;
      EXPECT_TRUE(source.is_header()) << source.path << " includes " << name;
    }
  }
}

TEST(Files, tests_do_not_wait_for_real_time) {
  const std::vector<std::string> forbidden = {"sleep_for", "sleep_until", "usleep(", "nanosleep("};
  for (const Source& source : sources({"tests"})) {
    if (source.folder() == "tests/house") continue;
    for (const std::string& line : source.lines) {
      for (const std::string& word : forbidden) {
        EXPECT_EQ(line.find(word), std::string::npos) << source.path << ": " << line;
      }
    }
  }
}

}  // namespace
}  // namespace async::house
