// async/testing/sim_network.h: the network as one simulated host has it.
//
// Layer: async/testing.  Read next: sim_world.h, sim_transport.h.

#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/io/network.h"
#include "async/ivar.h"
#include "async/testing/sim_transport.h"
#include "async/testing/sim_world.h"

namespace async::testing {

class Sim_listener;

/// It may outlive its world, in an execution context that somebody keeps; then it is not used.
class Sim_network final : public Network {
 public:
  Sim_network(Sim_world& world, std::string name, std::vector<Inet_addr> addrs,
              int max_descriptors);

  const std::string& name() const noexcept { return name_; }
  const std::vector<Inet_addr>& addrs() const noexcept { return addrs_; }
  Sim_world& world() const noexcept { return world_; }

  Deferred<std::vector<Inet_addr>> resolve(std::string name) override;
  std::expected<std::unique_ptr<Unconnected_socket>, std::error_code> create_socket(
      Family family) override;
  std::expected<std::unique_ptr<Listener>, std::error_code> adopt_listener(int fd) override;
  std::expected<std::unique_ptr<Transport>, std::error_code> adopt_connection(
      int fd, Domain domain) override;
  std::optional<Inet_addr> source_address(const Inet_addr& to) override;
  Deferred<> descriptor_freed() override;
  int max_descriptors() const override { return max_descriptors_; }
  int num_descriptors() const noexcept { return num_descriptors_; }

  /// `take_descriptor()` is false if there is none left.
  bool take_descriptor() noexcept;
  void descriptor_was_freed() noexcept;

  /// `run()` is gone when the run is over, and with it its descriptors, ports and listeners.  A
  /// socket that outlives it gives nothing back.
  std::weak_ptr<const void> run() const noexcept { return run_; }
  void run_has_ended() noexcept;

  /// `has(addr)` is true for the addresses of this host, its loopback among them.
  bool has(const Inet_addr& addr) const;

  /// `bind(address, shares)` is the address with a port chosen if it had none.  Several sockets can
  /// have one that they share, unless one of them listens.
  std::expected<Address::Any, std::error_code> bind(const Address::Any& address, bool shares);
  void unbind(const Address::Any& address);
  bool has_listener(const Address::Any& address) const { return listeners_.contains(address); }

  /// `listener_at(address)` is who listens on that address, or on all; null if nobody does.
  Sim_listener* listener_at(const Address::Any& address) const;
  void add_listener(const Address::Any& address, Sim_listener& listener);
  void remove_listener(const Address::Any& address);

 private:
  Sim_world& world_;
  const std::string name_;
  const std::vector<Inet_addr> addrs_;
  const int max_descriptors_;
  int num_descriptors_ = 0;
  int next_port_ = 49152;
  /// The sockets that have an address.
  struct Bound {
    int count;
    bool is_shared;
  };
  std::map<Address::Any, Bound> bound_;
  std::map<Address::Any, Sim_listener*> listeners_;
  std::optional<Ivar<>> descriptor_freed_;
  std::shared_ptr<const void> run_ = std::make_shared<int>();
};

/// A simulated socket that listens.
class Sim_listener final : public Listener {
 public:
  /// What it accepts has its `options`, as on Linux.
  Sim_listener(Sim_network& network, Address::Any address, int backlog, Sim_options options);
  ~Sim_listener() override { close(); }

  bool set_user(internal::Turn_task* task) noexcept override;
  void want_ready(bool wanted) noexcept override;
  std::expected<Accepted, std::error_code> accept() override;
  void close() noexcept override;
  bool is_closed() const noexcept override { return is_closed_; }

  /// `offer(client, answer)` is called when somebody asks to be connected: with an end of theirs.
  /// `answer(error)` is called once there is room in the queue, or nobody listens any more.
  void offer(std::shared_ptr<Sim_end> client, std::function<void(std::error_code)> answer);

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
  struct Offer {
    std::shared_ptr<Sim_end> client;
    std::function<void(std::error_code)> answer;
  };

  void let_in();
  void tell_if_ready();

  Sim_network& network_;
  const std::weak_ptr<const void> run_;
  const Address::Any address_;
  const std::size_t backlog_;
  internal::Turn_task* user_ = nullptr;
  bool wanted_ = false;
  bool is_closed_ = false;
  std::shared_ptr<bool> will_tell_ = std::make_shared<bool>(false);
  std::deque<Offer> outside_;                       // for want of room
  std::deque<std::shared_ptr<Sim_end>> to_accept_;  // server's ends
  Sim_options options_;
};

}  // namespace async::testing
