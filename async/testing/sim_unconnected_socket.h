// async/testing/sim_unconnected_socket.h: a simulated socket that is to be connected, or to listen.
//
// Layer: async/testing.  Read next: sim_network.h.

#pragma once

#include <memory>
#include <optional>

#include "async/io/network.h"
#include "async/ivar.h"
#include "async/testing/sim_network.h"

namespace async::testing {

class Sim_unconnected_socket final : public Unconnected_socket {
 public:
  explicit Sim_unconnected_socket(Sim_network& network) : network_(network), run_(network.run()) {}
  ~Sim_unconnected_socket() override;

  std::error_code bind(const Address::Any& address) override;
  std::expected<std::unique_ptr<Listener>, std::error_code> listen(int backlog) override;
  Deferred<std::error_code> connect(const Address::Any& address) override;
  std::expected<std::unique_ptr<Transport>, std::error_code> take_transport() override;

  std::expected<Address::Any, std::error_code> local_address() const override;
  std::expected<Address::Any, std::error_code> remote_address() const override;
  std::error_code set_option(int level, int name, std::span<const std::byte> value) override {
    return options_.set(level, name, value);
  }
  std::expected<std::size_t, std::error_code> get_option(int level, int name,
                                                         std::span<std::byte> into) const override {
    return options_.get(level, name, into);
  }
  int fd() const noexcept override { return -1; }

 private:
  /// A connection on its way.
  struct Attempt {
    std::shared_ptr<Sim_end> end;
    Ivar<std::error_code> connected;
    bool is_given_up = false;
    std::optional<Sim_events::Key> gives_up = {};  // the event, of one that has no answer

    void finish(std::error_code error);
  };

  Sim_network* target(const Address::Any& address) const;

  Sim_network& network_;
  const std::weak_ptr<const void> run_;
  bool has_descriptor_ = true;
  std::optional<Address::Any> bound_;
  std::shared_ptr<Attempt> attempt_;
  Sim_options options_;
};

}  // namespace async::testing
