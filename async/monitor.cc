#include "async/monitor.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "async/internal/cell.h"
#include "async/internal/ends_with_scheduler.h"
#include "async/internal/kernel.h"
#include "async/ivar.h"
#include "async/log.h"

namespace async {

namespace internal {

namespace {

using Error_function = std::move_only_function<void(const Error&)>;

/// One call of `detach_and_iter_errors`.  It ends when its function raises, or with the
/// scheduler: the function was often given under the very monitor that it is for.
class Error_handler final : public Shared, public Kept {
 public:
  explicit Error_handler(Error_function f) : context_(kernel().current), f_(std::move(f)) {
    kernel().kept.push_back(*this);
  }

  bool has_ended() const noexcept { return !f_; }
  const Ref<Context>& context() const noexcept { return context_; }

  void call(const Error& error) noexcept {
    if (!f_) {
      Log::error(std::string("a handler of errors had raised one itself before: ") + error.what());
      return;
    }
    try {
      f_(error);
    } catch (...) {
      const Ref<Context> context = context_;
      let_go();
      context->monitor->receive(Error::current());
    }
  }

  void destroy_callable() noexcept override { let_go(); }
  void let_go() noexcept override {
    const auto self = Ref<Error_handler>::share(this);
    if (is_linked()) unlink();
    f_ = nullptr;
    context_ = nullptr;
  }

 private:
  ~Error_handler() override {
    if (is_linked()) unlink();
  }

  Ref<Context> context_;
  Error_function f_;
};

class Error_job final : public Job, public Pooled {
 public:
  Error_job(Ref<Error_handler> handler, const Error& error)
      : Job(handler->context().get()), handler_(std::move(handler)), error_(error) {
    context->add_ref();
  }

  void run() noexcept override {
    handler_->call(error_);
    delete this;
  }
  void drop() noexcept override { delete this; }
  bool carries_error() const noexcept override { return true; }

 private:
  ~Error_job() { context->release(); }

  Ref<Error_handler> handler_;
  Error error_;
};

}  // namespace

struct Monitor_core::Extras final : Ends_with_scheduler {
  /// Who waits for the next error often runs under this very monitor.
  void scheduler_ends() noexcept override {
    const auto last = std::exchange(next_error, std::nullopt);
  }

  std::string name;
  std::source_location where;
  bool is_detached = false;
  std::vector<Ref<Error_handler>> handlers;
  std::optional<Ivar<Error>> next_error;
};

Monitor_core::Monitor_core(Ref<Monitor_core> parent) noexcept : parent_(std::move(parent)) {}
Monitor_core::~Monitor_core() {
  // A chain of monitors goes without recursion.
  while (parent_ && parent_->has_one_ref()) parent_ = std::exchange(parent_->parent_, nullptr);
}

Monitor_core::Extras& Monitor_core::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

void Monitor_core::set_name(std::string name) { extras().name = std::move(name); }

void Monitor_core::receive(const Error& error, const Monitor_core& from) noexcept {
  has_seen_error_ = true;
  if (!extras_) {
    pass_on(error, from);
    return;
  }
  bool is_heard = false;
  if (auto next = std::exchange(extras_->next_error, std::nullopt)) {
    is_heard = true;
    next->fill(error);
  }
  if (!extras_->is_detached) {
    pass_on(error, from);
    return;
  }
  for (const Ref<Error_handler>& handler : extras_->handlers) {
    if (handler->has_ended()) continue;
    is_heard = true;
    enqueue(*new Error_job(handler, error));
  }
  if (!is_heard) Log::error(std::string("a detached monitor had no handler: ") + error.what());
}

void Monitor_core::pass_on(const Error& error, const Monitor_core& from) noexcept {
  if (parent_) parent_->receive(error, from);
}

std::string Monitor_core::chain() const {
  std::string text;
  for (const Monitor_core* m = this; m; m = m->parent()) {
    const Extras* extras = m->extras_if_any();
    text += "\n  under monitor \"";
    text += extras ? extras->name : "";
    text += "\"";
    if (extras && extras->where.line() != 0) {
      text += std::string(" made at ") + extras->where.file_name() + ":" +
              std::to_string(extras->where.line());
    }
  }
  return text;
}

}  // namespace internal

using internal::kernel;
using internal::Ref;

Monitor Monitor::current() { return Monitor(kernel().current->monitor); }

Monitor Monitor::main() { return Monitor(kernel().main->monitor); }

Monitor Monitor::create(std::string name, std::source_location where) {
  auto core =
      Ref<internal::Monitor_core>::adopt(new internal::Monitor_core(kernel().current->monitor));
  core->extras().name = std::move(name);
  core->extras().where = where;
  return Monitor(std::move(core));
}

std::string Monitor::name() const {
  const auto* extras = core_->extras_if_any();
  return extras ? extras->name : std::string();
}

void Monitor::send(const Error& error) const { core_->receive(error); }

void Monitor::detach() const { core_->extras().is_detached = true; }

void Monitor::detach_and_iter_errors(std::move_only_function<void(const Error&)> f) const {
  detach();
  core_->extras().handlers.push_back(
      Ref<internal::Error_handler>::adopt(new internal::Error_handler(std::move(f))));
}

Deferred<Error> Monitor::detach_and_get_next_error() const {
  detach();
  return get_next_error();
}

Deferred<Error> Monitor::get_next_error() const {
  auto& extras = core_->extras();
  if (!extras.next_error) {
    // Never fails, and so needs no monitor of its own, which might be this one.
    const internal::With_context with(*kernel().main);
    extras.next_error.emplace();
    if (!extras.is_linked()) internal::add_open(extras);
  }
  return extras.next_error->read();
}

bool Monitor::has_seen_error() const noexcept { return core_->has_seen_error(); }

int Monitor::depth() const noexcept {
  int depth = 0;
  for (const auto* m = core_->parent(); m; m = m->parent()) ++depth;
  return depth;
}

}  // namespace async
