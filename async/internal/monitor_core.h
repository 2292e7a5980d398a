// async/internal/monitor_core.h: the state behind a Monitor.
//
// Layer: async.  Read next: async/monitor.h.

#pragma once

#include <memory>
#include <string>
#include <utility>

#include "async/internal/ref.h"
#include "async/internal/shared.h"

namespace async {

class Error;

namespace internal {

/// A monitor with a parent.  Those that end a chain override `pass_on`.
class Monitor_core : public Shared {
 public:
  explicit Monitor_core(Ref<Monitor_core> parent) noexcept;

  /// `receive(error)` takes an error, or passes it on.  It only enqueues jobs.
  void receive(const Error& error) noexcept { receive(error, *this); }

  Monitor_core* parent() const noexcept { return parent_.get(); }

  /// `chain()` names this monitor and those above it, a line each.
  std::string chain() const;

  void set_name(std::string name);

  /// What few monitors have: a name, and those who want to hear of errors.
  struct Extras;
  Extras& extras();
  const Extras* extras_if_any() const noexcept { return extras_.get(); }
  bool has_seen_error() const noexcept { return has_seen_error_; }

 protected:
  ~Monitor_core() override;

  /// `receive(error, from)` does so with an error that began its way at `from`.
  void receive(const Error& error, const Monitor_core& from) noexcept;

  /// `pass_on(error, from)` is called with an error that no handler here takes.
  virtual void pass_on(const Error& error, const Monitor_core& from) noexcept;

 private:
  bool has_seen_error_ = false;
  Ref<Monitor_core> parent_;
  std::unique_ptr<Extras> extras_;
};

}  // namespace internal
}  // namespace async
