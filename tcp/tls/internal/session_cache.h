// tcp/tls/internal/session_cache.h: sessions that a client can resume.
//
// Layer: tcp/tls.  Read next: client.h.

#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "tcp/tls/internal/ssl.h"

namespace async::Tls::internal {

/// The newest sessions, by whom they were with.  Those of TLS 1.3 are given out once (RFC 8446,
/// C.4), those of TLS 1.2 again and again, for servers make no new ones when they are resumed.
///
/// - Threads: any.
class Session_cache {
 public:
  void put(const std::string& peer, Ssl_session session);
  /// `take(peer)` is the newest one, or null.
  Ssl_session take(const std::string& peer);

 private:
  static constexpr std::size_t most_peers = 256;
  static constexpr std::size_t most_of_one = 4;

  struct Of_one {
    std::list<Ssl_session> newest_first;
    std::list<std::string>::iterator place;
  };

  std::mutex mutex_;
  std::map<std::string, Of_one> sessions_;
  std::list<std::string> last_used_first_;
};

}  // namespace async::Tls::internal
