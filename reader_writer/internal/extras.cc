#include "reader_writer/internal/extras.h"

#include <ranges>

namespace async::internal {

std::string Filters::sent(std::span<const std::string_view> parts) const {
  std::string bytes;
  filters_.back()->sentv(parts, bytes);
  for (const auto& filter : filters_ | std::views::reverse | std::views::drop(1)) {
    if (bytes.empty()) break;
    std::string next;
    filter->sent(bytes, next);
    bytes = std::move(next);
  }
  return bytes;
}

std::string Filters::received(std::string bytes) const {
  for (const auto& filter : filters_) {
    if (bytes.empty()) break;
    std::string next;
    filter->received(bytes, next);
    bytes = std::move(next);
  }
  return bytes;
}

}  // namespace async::internal
