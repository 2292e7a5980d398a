#include "async/testing/sim_backend.h"

#include <memory>
#include <vector>

#include "async/internal/engine.h"

namespace async::testing {

class Sim_backend::Watch final : public Backend::Signal_watch {
 public:
  Watch(Sim_backend& backend, int number, std::function<void()> f)
      : backend_(backend), f_(std::move(f)), at_(backend.watches_.emplace(number, this)) {}
  ~Watch() override { backend_.watches_.erase(at_); }

  void call() const { f_(); }

 private:
  Sim_backend& backend_;
  const std::function<void()> f_;
  const std::multimap<int, Watch*>::iterator at_;
};

Sim_backend::Sim_backend(internal::Ref<internal::Environment> environment, Sim_events& events,
                         std::function<void()> when_stuck)
    : environment_(std::move(environment)),
      time_(static_cast<internal::Time_state&>(*environment_->time_source)),
      events_(events),
      when_stuck_(std::move(when_stuck)) {}

void Sim_backend::wait(std::optional<Time_ns> until) {
  const std::optional<Time_ns> first = events_.first();
  if (!first && !until) {
    when_stuck_();
    return;
  }
  time_.advance_to(first && until ? std::min(*first, *until) : first.value_or(*until));
  deliver_what_is_due();
}

void Sim_backend::poll() { deliver_what_is_due(); }

void Sim_backend::deliver_what_is_due() {
  // What an event adds for the same time is for the next turn.
  std::vector<std::function<void()>> due;
  while (events_.first() && *events_.first() <= time_.read()) due.push_back(events_.take_first());
  for (const auto& event : due) event();
}

void Sim_backend::run_in_thread(std::move_only_function<void()> work) {
  auto shared = std::make_shared<std::move_only_function<void()>>(std::move(work));
  events_.add(time_.read(), [shared] { (*shared)(); });
}

std::unique_ptr<Backend::Signal_watch> Sim_backend::watch_signal(int number,
                                                                 std::function<void()> f) {
  return std::make_unique<Watch>(*this, number, std::move(f));
}

void Sim_backend::raise_signal(int number) {
  events_.add(time_.read(), [this, number] {
    const auto [first, last] = watches_.equal_range(number);
    std::vector<Watch*> watches;
    for (auto at = first; at != last; ++at) watches.push_back(at->second);
    for (const Watch* watch : watches) watch->call();
  });
}

}  // namespace async::testing
