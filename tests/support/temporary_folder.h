// tests/support/temporary_folder.h: a place for files.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace async {

/// A new folder, which goes away with all that is in it.
class Temporary_folder {
 public:
  Temporary_folder() {
    if (!mkdtemp(path_.data())) throw std::runtime_error("mkdtemp failed");
  }
  Temporary_folder(const Temporary_folder&) = delete;
  Temporary_folder& operator=(const Temporary_folder&) = delete;
  ~Temporary_folder() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "async_uv_XXXXXX").string();
};

}  // namespace async
