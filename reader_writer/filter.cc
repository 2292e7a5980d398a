#include "reader_writer/filter.h"

namespace async {

void Filter::sent(std::string_view bytes, std::string& out) { out += bytes; }

void Filter::sentv(std::span<const std::string_view> parts, std::string& out) {
  for (const std::string_view part : parts) {
    if (!part.empty()) sent(part, out);
  }
}

void Filter::received(std::string_view bytes, std::string& out) { out += bytes; }

}  // namespace async
