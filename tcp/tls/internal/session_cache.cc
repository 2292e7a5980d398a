#include "tcp/tls/internal/session_cache.h"

#include <utility>

namespace async::Tls::internal {

void Session_cache::put(const std::string& peer, Ssl_session session) {
  const std::scoped_lock lock(mutex_);
  auto found = sessions_.find(peer);
  if (found == sessions_.end()) {
    last_used_first_.push_front(peer);
    found = sessions_.emplace(peer, Of_one{.newest_first = {}, .place = last_used_first_.begin()})
                .first;
  } else {
    last_used_first_.splice(last_used_first_.begin(), last_used_first_, found->second.place);
  }
  std::list<Ssl_session>& sessions = found->second.newest_first;
  sessions.push_front(std::move(session));
  if (sessions.size() > most_of_one) sessions.pop_back();
  if (sessions_.size() > most_peers) {
    sessions_.erase(last_used_first_.back());
    last_used_first_.pop_back();
  }
}

Ssl_session Session_cache::take(const std::string& peer) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return nullptr;
  std::list<Ssl_session>& sessions = found->second.newest_first;
  if (SSL_SESSION_should_be_single_use(sessions.front().get()) == 0) {
    last_used_first_.splice(last_used_first_.begin(), last_used_first_, found->second.place);
    SSL_SESSION_up_ref(sessions.front().get());
    return Ssl_session(sessions.front().get());
  }
  Ssl_session newest = std::move(sessions.front());
  sessions.pop_front();
  if (sessions.empty()) {
    last_used_first_.erase(found->second.place);
    sessions_.erase(found);
  }
  return newest;
}

}  // namespace async::Tls::internal
