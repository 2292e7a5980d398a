// reader_writer/filter.h: changing what goes over a connection.
//
// Layer: reader_writer.  Read next: writer.h (`add_filter`).

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace async {

/// A `Filter` sees everything that is written to a connection and everything that arrives on it,
/// and may change or swallow it.  A filter with a state is for one connection; others may be
/// shared.
///
///     class Upper_case final : public Filter {
///       void sent(std::string_view bytes, std::string& out) override { for (char c : bytes) out +=
///       upper(c); }
///     };
///     writer.add_filter(std::make_shared<Upper_case>());
///
/// - Scheduling: `sent` is called within each call that writes, before anything is queued;
/// `received`
///   before what has arrived can be read.  Neither may use the connection.
/// - Errors: an exception of `sent` is that of the call that writes, which then has written
/// nothing; one
///   of `received` is an error of the reader, and nothing more can be read.
///   (net's `sent`, `sentv` and `received`.)
class Filter {
 public:
  virtual ~Filter() = default;

  /// `sent(bytes, out)` appends to `out` what is to be sent in place of `bytes`: nothing to swallow
  /// them.  By default that is `bytes`.
  virtual void sent(std::string_view bytes, std::string& out);

  /// `sentv(parts, out)` does so with what one call writes in several parts.  By default it calls
  /// `sent` with each that is not empty.
  virtual void sentv(std::span<const std::string_view> parts, std::string& out);

  /// `received(bytes, out)` appends to `out` what is to be read in place of `bytes`, at least one,
  /// that have arrived.  By default that is `bytes`.
  virtual void received(std::string_view bytes, std::string& out);
};

}  // namespace async
