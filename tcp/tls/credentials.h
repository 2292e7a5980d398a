// tcp/tls/credentials.h: certificates, keys, and whom to trust.
//
// Layer: tcp/tls.  Read next: client.h, server.h.

#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace async::Tls {

/// The text of a PEM file, where a path would be taken for a file.
struct Pem {
  std::string text;
};

/// One or more things in PEM: in a file, or as text.
using Pem_source = std::variant<std::filesystem::path, Pem>;

/// Who one is.
struct Identity {
  /// The certificate, and those between it and a root, in this order.
  Pem_source certificate_chain;
  Pem_source private_key;
};

/// Whose certificates are trusted.
class Trust {
 public:
  /// `system()` are the roots of the machine (of Debian's package ca-certificates, say), or those
  /// in the file that the environment names as SSL_CERT_FILE.
  static Trust system() { return Trust(System{}); }
  /// `roots(pem)` are those there, and no others.
  static Trust roots(Pem_source pem) { return Trust(std::move(pem)); }
  /// `folder(path)` are those in a folder, in files that are named after the hash of their subject,
  /// as c_rehash(1) does.
  static Trust folder(std::filesystem::path path) { return Trust(Folder{std::move(path)}); }

  struct System {};
  struct Folder {
    std::filesystem::path path;
  };
  using Source = std::variant<System, Folder, Pem_source>;
  const Source& source() const noexcept { return source_; }

  /// `with_revocations(pem)` also refuses what these lists (CRLs) have revoked; there must be one
  /// for each issuer of a chain but the root.
  Trust with_revocations(Pem_source pem) const {
    Trust copy = *this;
    copy.revocations_.push_back(std::move(pem));
    return copy;
  }
  const std::vector<Pem_source>& revocations() const noexcept { return revocations_; }

 private:
  explicit Trust(Source source) : source_(std::move(source)) {}

  Source source_;
  std::vector<Pem_source> revocations_;
};

/// Versions of TLS.
enum class Version : unsigned char { Tls_1_2, Tls_1_3 };

}  // namespace async::Tls
