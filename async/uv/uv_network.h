// async/uv/uv_network.h: the machine's network.
//
// Layer: async/uv.  Read next: uv_unconnected_socket.h.

#pragma once

#include <optional>

#include "async/internal/thread_pool.h"
#include "async/io/network.h"
#include "async/ivar.h"
#include "async/uv/poll_handles.h"

namespace async::internal {

class Uv_network final : public Network {
 public:
  explicit Uv_network(Poll_handles& poll_handles);

  Deferred<std::vector<Inet_addr>> resolve(std::string name) override;
  std::expected<std::unique_ptr<Unconnected_socket>, std::error_code> create_socket(
      Family family) override;
  std::expected<std::unique_ptr<Listener>, std::error_code> adopt_listener(int fd) override;
  std::expected<std::unique_ptr<Transport>, std::error_code> adopt_connection(
      int fd, Domain domain) override;
  std::optional<Inet_addr> source_address(const Inet_addr& to) override;
  Deferred<> descriptor_freed() override;
  int max_descriptors() const override;

  Poll_handles& poll_handles() noexcept { return poll_handles_; }
  void descriptor_was_freed() noexcept;

 private:
  Poll_handles& poll_handles_;
  // Looking a name up can block a thread for as long as the resolver likes, so it gets threads
  // of its own, and enough of them.
  Thread_pool resolvers_;
  std::optional<Ivar<>> descriptor_freed_;
};

}  // namespace async::internal
