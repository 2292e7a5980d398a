// Includes go downward only, and what belongs to one folder is seen in that folder alone.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/house/source_tree.h"

namespace async::house {
namespace {

// Each layer, and those that it may include besides itself.
const std::map<std::string, std::set<std::string>> layers = {
    {"async", {}},
    {"async/io", {"async"}},
    {"async/uv", {"async", "async/io"}},
    {"async/testing", {"async", "async/io"}},
    {"reader_writer", {"async", "async/io"}},
    {"tcp/dns", {"async", "async/io"}},
    {"tcp", {"async", "async/io", "reader_writer", "tcp/dns"}},
    {"tcp/proxy", {"async", "async/io", "reader_writer", "tcp"}},
    {"tcp/tls", {"async", "async/io", "reader_writer", "tcp"}},
};

std::string layer_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().generic_string();
  if (folder.ends_with("/internal")) folder.resize(folder.size() - std::string("/internal").size());
  return folder;
}

TEST(Layers, every_folder_is_a_known_layer) {
  for (const Source& source : sources(library_folders)) {
    EXPECT_TRUE(layers.contains(layer_of(source.path))) << source.path;
  }
}

TEST(Layers, includes_go_downward_only) {
  for (const Source& source : sources(library_folders)) {
    const std::string layer = layer_of(source.path);
    for (const std::string& line : source.lines) {
      const std::string name = included(line);
      if (!name.starts_with('"')) continue;
      const std::string path = name.substr(1, name.size() - 2);
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(ASYNC_UV_SOURCE_DIR) / path))
          << source.path << " includes " << path << " by another path than from the root";
      const std::string other = layer_of(path);
      EXPECT_TRUE(other == layer || layers.at(layer).contains(other))
          << source.path << " may not include " << path;
    }
  }
}

TEST(Layers, libuv_is_seen_in_its_folder_alone) {
  for (const Source& source : sources({"async", "reader_writer", "tcp", "examples"})) {
    for (const std::string& line : source.lines) {
      const std::string name = included(line);
      if (name == "<uv.h>" || name.starts_with("<uv/")) {
        EXPECT_EQ(layer_of(source.path), "async/uv") << source.path;
      }
    }
  }
}

TEST(Layers, boringssl_is_seen_in_its_folder_alone) {
  for (const Source& source : sources({"async", "reader_writer", "tcp", "examples"})) {
    for (const std::string& line : source.lines) {
      if (included(line).starts_with("<openssl/")) {
        EXPECT_EQ(layer_of(source.path), "tcp/tls") << source.path;
      }
    }
  }
}

TEST(Layers, public_headers_include_no_header_of_the_platform) {
  const std::set<std::string> folders = {
      "async", "async/io",     "async/internal", "reader_writer",     "reader_writer/internal",
      "tcp",   "tcp/internal", "tcp/proxy",      "tcp/proxy/internal"};
  for (const Source& source : sources(library_folders)) {
    if (!source.is_header() || !folders.contains(source.folder())) continue;
    for (const std::string& line : source.lines) {
      const std::string name = included(line);
      // Those of the standard library have neither an extension nor a folder.
      if (name.starts_with('<'))
        EXPECT_EQ(name.find_first_of("./"), std::string::npos)
            << source.path << " includes " << name;
    }
  }
}

}  // namespace
}  // namespace async::house
