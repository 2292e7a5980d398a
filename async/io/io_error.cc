#include "async/io/io_error.h"

#include <cstring>

namespace async {

namespace {

std::string lower_first(std::string text) {
  // "Connection refused", but "RPC failed" stays.
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

class Io_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "libuv"; }

  std::string message(int value) const override {
    switch (static_cast<Name_error>(value)) {
      case Name_error::Again:
        return "name resolution failed for now";
      case Name_error::Failed:
        return "name resolution failed";
      case Name_error::Memory:
        return "name resolution ran out of memory";
      case Name_error::No_data:
        return "the name has no address";
      case Name_error::No_name:
        return "no such name";
      case Name_error::Other:
        return "name resolution failed for an unknown reason";
    }
    return lower_first(std::generic_category().message(-value));
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    if (value <= -3000) return {value, *this};
    return {-value, std::generic_category()};
  }
};

}  // namespace

const std::error_category& io_category() noexcept {
  static const Io_category category;
  return category;
}

std::error_code io_error_of_errno(int e) noexcept { return {-e, io_category()}; }

std::error_code make_error_code(Name_error error) noexcept {
  return {static_cast<int>(error), io_category()};
}

std::string name(const std::error_code& code) {
  if (code.category() == io_category()) {
    switch (static_cast<Name_error>(code.value())) {
      case Name_error::Again:
        return "EAI_AGAIN";
      case Name_error::Failed:
        return "EAI_FAIL";
      case Name_error::Memory:
        return "EAI_MEMORY";
      case Name_error::No_data:
        return "EAI_NODATA";
      case Name_error::No_name:
        return "EAI_NONAME";
      case Name_error::Other:
        return "EAI_SYSTEM";
    }
    const char* errno_name = strerrorname_np(-code.value());
    return errno_name ? errno_name : "";
  }
  return "";
}

}  // namespace async
