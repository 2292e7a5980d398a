// tests/house/source_tree.h: the sources of this project, for tests about the house itself.

#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace async::house {

struct Source {
  std::string path;  // from the project's root
  std::vector<std::string> lines;

  std::string folder() const { return std::filesystem::path(path).parent_path().generic_string(); }
  bool is_header() const { return path.ends_with(".h"); }
};

/// `sources(folders)` are the C++ files below `folders`, in order of their paths.
inline std::vector<Source> sources(const std::vector<std::string>& folders) {
  const std::filesystem::path root = ASYNC_UV_SOURCE_DIR;
  std::vector<Source> result;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      Source source{.path = entry.path().lexically_relative(root).generic_string(), .lines = {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      result.push_back(std::move(source));
    }
  }
  std::sort(result.begin(), result.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return result;
}

inline const std::vector<std::string> library_folders = {"async", "reader_writer", "tcp"};

/// `included(line)` is what an #include line names, with its brackets or quotes; else empty.
inline std::string included(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  if (word == "#") words >> word;
  if (word != "#include" && word != "include") return {};
  words >> word;
  return word;
}

}  // namespace async::house
