#include "tcp/internal/client.h"

#include <stdexcept>
#include <utility>

#include "async/internal/keep.h"
#include "async/scheduler.h"
#include "async/try_with.h"
#include "tcp/internal/server_state.h"

namespace async::Tcp::internal {

using async::internal::Access;
using async::internal::Cell_base;
using async::internal::With_context;

Client::Client(Ref<Server_state> server)
    : Monitor_core(nullptr),
      Waiter(server->context().get()),
      context_(server->context()),
      server_(std::move(server)) {}

Client::~Client() { Waiter::end(); }

void Client::start(std::unique_ptr<Transport> transport, const Address::Any& from) noexcept {
  const Server_settings& settings = server_->settings();
  if ((settings.proxy_protocol || settings.tls) && !server_->is_closed()) {
    upgrading_ = std::make_unique<Upgrading>(settings, server_->close_finished(), from);
    upgrade(std::move(transport));
  } else {
    serve(std::move(transport), from);
  }
}

Client::Upgrading::Upgrading(const Server_settings& settings, Deferred<> interrupt,
                             Address::Any given)
    : stop(settings.tls_timeout, std::move(interrupt)),
      from(std::move(given)),
      next(settings.proxy_protocol ? settings.proxy_protocol.get() : settings.tls.get()) {}

void Client::upgrade(std::unique_ptr<Transport> transport) noexcept {
  wait_for(Access::take(async::internal::call([&] {
    return upgrading_->next->upgrade(std::move(transport), to_string(upgrading_->from),
                                     upgrading_->stop);
  })));
}

void Client::upgraded(Cell_base& result) noexcept {
  if (result.state() != Cell_base::State::Full) {
    upgrade_failed(result.take_error());
    return;
  }
  using Result = async::internal::Cell<std::unique_ptr<Transport>>;
  auto transport = async::internal::take_value(static_cast<Result&>(result));
  if (!transport) {
    upgrade_failed(Error(std::logic_error("there is no connection")));
    return;
  }
  const Server_settings& settings = server_->settings();
  if (upgrading_->next != settings.tls.get()) {
    auto announced = transport->remote_address();
    if (announced && announced->index() == upgrading_->from.index()) {
      upgrading_->from = std::move(*announced);
    }
    upgrading_->next = settings.tls.get();
    if (upgrading_->next) {
      upgrade(std::move(transport));
      return;
    }
  }
  serve(std::move(transport), std::exchange(upgrading_, nullptr)->from);
}

void Client::upgrade_failed(const Error& error) noexcept {
  server_->upgrade_failed(upgrading_->from, error);
  gone();
}

void Client::serve(std::unique_ptr<Transport> transport, const Address::Any& from) noexcept {
  if (server_->is_closed()) {
    // As are those in the system's queue.
    server_->turn_away(std::move(transport), from, Refused::Kind::Server_closed);
    gone();
    return;
  }
  stage_ = Stage::Serving;
  const auto own_context = context_->with_monitor(Ref<Monitor_core>::share(this));
  const With_context with(*own_context);
  connection_.emplace(Ref<Connection>::share(
      new Connection(std::move(transport), from, server_->settings().limits)));
  (*connection_)->set_raise_when_consumer_leaves(false);
  if (server_->settings().observer) {
    // Who observes is told first, in a job of its own.
    server_->tell([info = info()](Observer& observer) { observer.accepted(info); });
    (*connection_)->observe(server_->settings().observer);
    Scheduler::schedule([self = Ref<Client>::share(this)] { self->call_handler(); });
  } else {
    call_handler();
  }
}

void Client::call_handler() noexcept {
  if (has_failed_ || server_->is_closed()) {  // by who observes
    wait_for_closing((*connection_)->give_up());
  } else {
    const Address::Any& from = (*connection_)->remote();
    wait_for(Access::take(
        async::internal::call([&] { return server_->handler()(from, *connection_); })));
  }
}

void Client::wait_for(Ref<Cell_base> root) noexcept {
  if (root) Cell_base::wait_for(std::move(root), *this);
}

void Client::wait_for_closing(Deferred<Close_result> closed) noexcept {
  stage_ = Stage::Closing;
  wait_for(Access::take(std::move(closed)));
}

void Client::run() noexcept {
  const auto self = Ref<Client>::share(this);
  const auto source = Ref<Cell_base>::adopt(take_source());
  if (stage_ == Stage::Upgrading) {
    upgraded(*source);
    return;
  }
  if (stage_ == Stage::Closing) {
    server_->add_bytes_dropped((*connection_)->bytes_dropped());
    gone();
    return;
  }
  if (source->state() != Cell_base::State::Full) {
    const Error error = source->take_error();
    if (std::exchange(has_failed_, true)) {
      Rest::log().handle(error, *context_);
    } else {
      fail(error);
    }
  }
  wait_for_closing((*connection_)->begin_to_close(Close_options()));
}

void Client::pass_on(const Error& error, const Monitor_core& /*from*/) noexcept {
  if (stage_ == Stage::Serving && !std::exchange(has_failed_, true)) {
    const With_context with(*context_);
    Scheduler::schedule([self = Ref<Client>::share(this), error] { self->fail(error); });
  } else {
    Rest::log().handle(error, *context_);
  }
}

void Client::fail(const Error& error) noexcept {
  const Connection_info connection = info();
  close();
  server_->handle_error(connection, error);
}

Connection_info Client::info() const {
  Connection& connection = **connection_;
  // One that has closed itself has no address of its own any more.
  const auto local = connection.transport().local_address();
  return {.number = connection.number(),
          .local = local.value_or(server_->acceptors().front()->address()),
          .remote = connection.remote()};
}

void Client::close() noexcept {
  if (connection_) static_cast<void>((*connection_)->begin_to_close(Close_options()));
}

void Client::abort() noexcept {
  if (connection_) static_cast<void>((*connection_)->give_up(Close_reason::Stopped));
}

void Client::gone() noexcept {
  connection_.reset();
  List_link::unlink();
  std::exchange(server_, nullptr)->client_is_gone();
  release();
}

void Client::scheduler_ends() noexcept {
  Waiter::leave();
  upgrading_ = nullptr;
  connection_.reset();
  server_ = nullptr;
  release();
}

}  // namespace async::Tcp::internal
