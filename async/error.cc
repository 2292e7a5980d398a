#include "async/error.h"

#include <stdexcept>
#include <typeinfo>
#include <utility>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace async {

struct Error::State {
  std::exception_ptr exception;
  std::string what;
  std::optional<std::source_location> raised_at;
};

namespace {

std::string name_of_current_exception() {
#if __has_include(<cxxabi.h>)
  if (const std::type_info* type = abi::__cxa_current_exception_type()) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free);
    if (status == 0) return name.get();
  }
#endif
  return "unknown";
}

std::string message_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  } catch (const std::string& s) {
    return s;
  } catch (const char* s) {
    return s;
  } catch (...) {
    return "an exception of type " + name_of_current_exception();
  }
}

}  // namespace

Error::Error(std::string message, std::source_location where) {
  auto exception = std::make_exception_ptr(std::runtime_error(message));
  state_ = std::make_shared<const State>(
      State{.exception = std::move(exception), .what = std::move(message), .raised_at = where});
}

Error::Error(std::exception_ptr exception) {
  std::string what = message_of(exception);
  state_ = std::make_shared<const State>(
      State{.exception = std::move(exception), .what = std::move(what), .raised_at = {}});
}

const char* Error::what() const noexcept { return state_->what.c_str(); }

const std::exception_ptr& Error::exception() const noexcept { return state_->exception; }

Error Error::with_context(const std::string& text) const {
  State state = *state_;
  state.what = text + ": " + state.what;
  return Error(std::make_shared<const State>(std::move(state)));
}

std::optional<std::source_location> Error::raised_at() const noexcept { return state_->raised_at; }

}  // namespace async
