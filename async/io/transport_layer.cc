#include "async/io/transport_layer.h"

namespace async {

void Transport_layer::set_user(User* user) noexcept {
  user_ = user;
  below_->set_user(user);
}

void Transport_layer::want_readable(bool wanted) noexcept {
  wants_readable_ = wanted;
  below_->want_readable(wanted);
  if (has_more()) more_has_come();
}

void Transport_layer::close(How how) noexcept {
  user_ = nullptr;
  below_->close(how);
}

void Transport_layer::more_has_come() noexcept {
  if (user_ && wants_readable_ && !tells_again_.is_linked()) {
    internal::engine().at_turn_end.push_back(tells_again_);
  }
}

void Transport_layer::tell() noexcept {
  const auto user = internal::Ref<User>::share(user_);
  if (!user || !wants_readable_) return;
  user->readable();
  internal::engine().run_cycle(user.get());
  // By now nothing but `user` may keep this alive, and it has asked for more if it wants that.
}

Io_result Transport_with_prefix::read(std::span<char> into) noexcept {
  if (!has_more()) return Transport_layer::read(into);
  const std::size_t size = std::string_view(prefix_).substr(given_).copy(into.data(), into.size());
  given_ += size;
  if (has_more()) {
    more_has_come();
  } else {
    prefix_ = std::string();
    given_ = 0;
  }
  return Io_result::ok(size);
}

}  // namespace async
