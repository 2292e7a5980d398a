// kj, with promises and callbacks.  (That of Debian 12 is older than kj's coroutines.)

#include <kj/async-io.h>
#include <kj/async.h>
#include <kj/timer.h>
#include <kj/vector.h>

#include <memory>

#include "tests/bench/core/operation.h"

namespace async::bench {
namespace {

using kj::Promise;

// What needs a loop gets one.  The timers that wait are those of a server at work.
struct World {
  kj::AsyncIoContext io = kj::setupAsyncIo();
  kj::WaitScope& scope = io.waitScope;
  kj::Timer& timer = io.provider->getTimer();
  kj::Vector<Promise<void>> waiting;

  World() {
    for (int i = 0; i < 1'000; ++i) waiting.add(timer.afterDelay((3'600 + i) * kj::SECONDS));
  }
};

const auto add_one = [](int x) { return x + 1; };
const auto bind_one = [](int x) -> Promise<int> { return x + 1; };

void map_determined(World& world, std::uint64_t n) {
  while (n--) keep(Promise<int>(1).then(kj::cp(add_one)).wait(world.scope));
}

void fill(World& world, std::uint64_t n) {
  while (n--) {
    auto pair = kj::newPromiseAndFulfiller<int>();
    auto mapped = pair.promise.then(kj::cp(add_one));
    pair.fulfiller->fulfill(1);
    keep(mapped.wait(world.scope));
  }
}

template <class F>
void chain(World& world, std::uint64_t n, F link) {
  for (; n > 0; n -= chain_length) {
    auto pair = kj::newPromiseAndFulfiller<int>();
    auto promise = kj::mv(pair.promise);
    for (std::uint64_t i = 0; i < chain_length; ++i) promise = promise.then(F(link));
    pair.fulfiller->fulfill(1);
    keep(promise.wait(world.scope));
  }
}

Promise<void> turns_left(std::uint64_t n) {
  if (n == 0) return kj::READY_NOW;
  return kj::evalLater([n] { return turns_left(n - 1); });
}

void choose_ready(World& world, std::uint64_t n) {
  auto never = kj::newPromiseAndFulfiller<int>();
  auto forked = never.promise.fork();
  while (n--) {
    keep(Promise<int>(1).exclusiveJoin(forked.addBranch()).wait(world.scope));
  }
}

void choose_waiting(World& world, std::uint64_t n) {
  auto never = kj::newPromiseAndFulfiller<int>();
  auto forked = never.promise.fork();
  while (n--) {
    auto pair = kj::newPromiseAndFulfiller<int>();
    auto first = pair.promise.exclusiveJoin(forked.addBranch());
    pair.fulfiller->fulfill(1);
    keep(first.wait(world.scope));
  }
}

void try_with_ready(World& world, std::uint64_t n) {
  while (n--) {
    keep(kj::evalNow([] {
           return Promise<int>(1);
         }).catch_([](kj::Exception&&) {
             return 0;
           }).wait(world.scope));
  }
}

void try_with_waiting(World& world, std::uint64_t n) {
  while (n--) {
    auto pair = kj::newPromiseAndFulfiller<int>();
    auto caught =
        kj::evalNow([&] { return kj::mv(pair.promise); }).catch_([](kj::Exception&&) { return 0; });
    pair.fulfiller->fulfill(1);
    keep(caught.wait(world.scope));
  }
}

void timers(World& world, std::uint64_t n) {
  while (n--) auto promise = world.timer.afterDelay(1'800 * kj::SECONDS);
}

Promise<void> recursive(std::uint64_t n) {
  if (n == 0) return kj::READY_NOW;
  return Promise<void>(kj::READY_NOW).then([n] { return recursive(n - 1); });
}

void timeout_ready(World& world, std::uint64_t n) {
  while (n--) {
    keep(world.timer.timeoutAfter(10 * kj::SECONDS, Promise<int>(1)).wait(world.scope));
  }
}

void timeout_waiting(World& world, std::uint64_t n) {
  while (n--) {
    auto pair = kj::newPromiseAndFulfiller<int>();
    auto timed = world.timer.timeoutAfter(10 * kj::SECONDS, kj::mv(pair.promise));
    pair.fulfiller->fulfill(1);
    keep(timed.wait(world.scope));
  }
}

}  // namespace

std::vector<Peer> peers() {
  const auto world = std::make_shared<World>();
  const auto in = [&](void (*f)(World&, std::uint64_t)) {
    return [world, f](std::uint64_t n) { f(*world, n); };
  };
  const auto maps = [](World& w, std::uint64_t n) { chain(w, n, add_one); };
  const auto binds = [](World& w, std::uint64_t n) { chain(w, n, bind_one); };
  const auto turns = [](World& w, std::uint64_t n) { turns_left(n).wait(w.scope); };
  const auto recurse = [](World& w, std::uint64_t n) { recursive(n).wait(w.scope); };
  return {{.name = "kj",
           .operations = {{operation::map_determined, in(map_determined)},
                          {operation::fill, in(fill)},
                          {operation::chain_of_maps, in(maps)},
                          {operation::chain_of_binds, in(binds)},
                          {operation::turn, in(turns)},
                          {operation::choose_ready, in(choose_ready)},
                          {operation::choose_waiting, in(choose_waiting)},
                          {operation::try_with_ready, in(try_with_ready)},
                          {operation::try_with_waiting, in(try_with_waiting)},
                          {operation::timer, in(timers)},
                          {operation::recursive_bind, in(recurse)},
                          {operation::timeout_ready, in(timeout_ready)},
                          {operation::timeout_waiting, in(timeout_waiting)}}}};
}

}  // namespace async::bench
