// Asio with coroutines.

#include <asio/experimental/awaitable_operators.hpp>

#include "tests/bench/core/peers/asio/peers.h"

namespace async::bench {
namespace {

using asio::awaitable;
using asio::use_awaitable;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

awaitable<int> ready() { co_return 1; }

awaitable<void> await_ready(asio::io_context&, std::uint64_t n) {
  while (n--) keep(co_await ready());
}

awaitable<void> turns(asio::io_context& context, std::uint64_t n) {
  while (n--) co_await asio::post(context, use_awaitable);
}

// Its chain: coroutines that await each other.
awaitable<int> deep(asio::io_context& context, std::uint64_t n) {
  if (n == 0) {
    co_await asio::post(context, use_awaitable);
    co_return 1;
  }
  co_return 1 + co_await deep(context, n - 1);
}

awaitable<void> chain(asio::io_context& context, std::uint64_t n) {
  for (; n > 0; n -= chain_length) keep(co_await deep(context, chain_length));
}

awaitable<void> receive(Channel& channel, std::uint64_t n) {
  while (n--) keep(co_await channel.async_receive(use_awaitable));
}

void fill(asio::io_context& context, std::uint64_t n) {
  Channel channel(context, 0);
  asio::co_spawn(context, receive(channel, n), asio::detached);
  run_ready(context);
  while (n--) {
    channel.try_send(asio::error_code(), 1);
    run_ready(context);
  }
}

awaitable<void> choose_waiting(asio::io_context& context, std::uint64_t n) {
  Channel never(context, 0);
  Channel filled(context, 0);
  while (n--) {
    asio::post(context, [&filled] { filled.try_send(asio::error_code(), 1); });
    keep(co_await (filled.async_receive(use_awaitable) || never.async_receive(use_awaitable)));
  }
}

awaitable<void> timeout_waiting(asio::io_context& context, std::uint64_t n) {
  Channel filled(context, 0);
  asio::steady_timer timer(context);
  while (n--) {
    asio::post(context, [&filled] { filled.try_send(asio::error_code(), 1); });
    timer.expires_after(10s);
    keep(co_await (filled.async_receive(use_awaitable) || timer.async_wait(use_awaitable)));
  }
}

}  // namespace

Peer coroutines(const std::shared_ptr<World>& world) {
  using Coroutine = awaitable<void> (*)(asio::io_context&, std::uint64_t);
  const auto in = [&](asio::io_context World::* context, Coroutine f) {
    return [world, context, f](std::uint64_t n) {
      asio::co_spawn((*world).*context, f((*world).*context, n), asio::detached);
      run_ready((*world).*context);
    };
  };
  return {.name = "Asio coroutines",
          .operations = {{operation::fill, [world](std::uint64_t n) { fill(world->bare, n); }},
                         {operation::chain_of_binds, in(&World::bare, chain)},
                         {operation::await_coroutine, in(&World::bare, await_ready)},
                         {operation::turn, in(&World::bare, turns)},
                         {operation::choose_waiting, in(&World::bare, choose_waiting)},
                         {operation::recursive_bind, in(&World::bare, await_ready)},
                         {operation::timeout_waiting, in(&World::with_timers, timeout_waiting)}}};
}

}  // namespace async::bench
