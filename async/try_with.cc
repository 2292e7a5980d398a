#include "async/try_with.h"

#include <string>
#include <utility>

#include "async/log.h"

namespace async {

namespace {

class Rest_job final : public internal::Job, public internal::Pooled {
 public:
  Rest_job(std::shared_ptr<const std::function<void(const Error&)>> f, const Error& error,
           internal::Context& caller)
      : Job(&caller), f_(std::move(f)), error_(error) {
    context->add_ref();
  }
  ~Rest_job() { context->release(); }

  void run() noexcept override {
    const std::unique_ptr<Rest_job> self(this);
    try {
      (*f_)(error_);
    } catch (...) {
      context->monitor->receive(Error::current());
    }
  }
  void drop() noexcept override { delete this; }
  bool carries_error() const noexcept override { return true; }

 private:
  std::shared_ptr<const std::function<void(const Error&)>> f_;
  Error error_;
};

}  // namespace

void Rest::handle(const Error& error, const internal::Context& caller) const noexcept {
  switch (kind_) {
    case Kind::Raise:
      caller.monitor->receive(error);
      break;
    case Kind::Log:
      Log::error(std::string("failed after the result of try_with: ") + error.what());
      break;
    case Kind::Call:
      internal::enqueue(*new Rest_job(f_, error, const_cast<internal::Context&>(caller)));
      break;
  }
}

Finally_failed::Finally_failed(Error error, Error finally_error)
    : std::runtime_error(std::string(error.what()) +
                         " (and then, in finally: " + finally_error.what() + ")"),
      error_(std::move(error)),
      finally_error_(std::move(finally_error)) {}

}  // namespace async
