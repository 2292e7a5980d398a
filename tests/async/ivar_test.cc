#include "async/ivar.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "async/async.h"
#include "async/testing/simulation.h"

namespace async {
namespace {

using testing::Simulation;

TEST(Ivar, is_empty_until_it_is_filled) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    EXPECT_TRUE(ivar.is_empty());
    EXPECT_FALSE(ivar.read().is_determined());
    ivar.fill(3);
    EXPECT_TRUE(ivar.is_full());
    EXPECT_EQ(ivar.read().peek(), 3);
    EXPECT_EQ(co_await ivar.read(), 3);
  });
}

}  // namespace
}  // namespace async
