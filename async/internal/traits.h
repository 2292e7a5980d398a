// async/internal/traits.h: what a Deferred asks of its value and of the functions given to it.
//
// Layer: async.

#pragma once

#include <concepts>
#include <expected>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace async {

template <class T>
class Deferred;

/// Whether a `T` can be copied.  A standard container claims to be copyable whatever is in it,
/// and so does what holds one, so this looks inside.  Specialise it for a type of your own that
/// claims too much.
template <class T>
struct Is_copyable : std::is_copy_constructible<T> {};

template <>
struct Is_copyable<void> : std::true_type {};

template <class T>
  requires std::ranges::range<T> && requires { typename T::value_type; } &&
           (!std::same_as<std::ranges::range_value_t<T>, T>)
struct Is_copyable<T> : std::bool_constant<std::is_copy_constructible_v<T> &&
                                           Is_copyable<typename T::value_type>::value> {};

template <class A, class B>
struct Is_copyable<std::pair<A, B>> : std::conjunction<Is_copyable<A>, Is_copyable<B>> {};
template <class A, class B>
struct Is_copyable<std::expected<A, B>> : std::conjunction<Is_copyable<A>, Is_copyable<B>> {};
template <class... T>
struct Is_copyable<std::tuple<T...>> : std::conjunction<Is_copyable<T>...> {};
template <class... T>
struct Is_copyable<std::variant<T...>> : std::conjunction<Is_copyable<T>...> {};
template <class T>
struct Is_copyable<std::optional<T>> : Is_copyable<T> {};

namespace internal {

template <class T>
inline constexpr bool is_deferred = false;
template <class T>
inline constexpr bool is_deferred<Deferred<T>> = true;

template <class D>
struct Value_of_deferred;
template <class T>
struct Value_of_deferred<Deferred<T>> {
  using Type = T;
};
/// The `T` of a `Deferred<T>`.
template <class D>
using Value_in = typename Value_of_deferred<std::remove_cvref_t<D>>::Type;

template <class F, class Arg>
struct Result_of_handler : std::invoke_result<F&, Arg> {};
template <class F>
struct Result_of_handler<F, void> : std::invoke_result<F&> {};

/// What `f` returns for the value of a `Deferred<T>`: given as `const T&`, or as `T&&` when
/// `moves`; or nothing, for `void`.
template <class F, class T, bool moves>
using Handler_result = typename Result_of_handler<
    F,
    std::conditional_t<std::is_void_v<T>, void,
                       std::conditional_t<moves, std::add_rvalue_reference_t<T>,
                                          std::add_lvalue_reference_t<std::add_const_t<T>>>>>::type;

template <class F, class T, bool moves>
concept Handler = requires { typename Handler_result<F, T, moves>; };

/// A callable with nothing in it, or a plain function, has nothing that could dangle.
template <class F>
inline constexpr bool has_captures =
    !std::is_empty_v<F> && !(std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>);

}  // namespace internal
}  // namespace async
