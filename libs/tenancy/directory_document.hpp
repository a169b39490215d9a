// The directory as a JSON document: what vigia-monitor writes, serves and keeps, and what
// collector, router and the monitor itself read. Writer and reader stand side by side, so that a
// member is added to both in one file. docs/formats/kept-directory.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/tenancy/directory.hpp"

namespace vigia::tenancy {

/// Writes one document from its beginning to its end: customers, each followed by its tokens, then
/// the operators' tokens. Nothing is held but the text, since there may be a million tokens. The
/// same calls give the same bytes, by which a snapshot's ETag and its doubts go.
/// Thread contract: one thread.
class DocumentWriter {
 public:
  explicit DocumentWriter(const SnapshotMark& mark);

  /// The tokens that follow are this customer's. Of its limits 0 stands for the reader's default.
  void customer(const Customer& customer);
  /// The tokens that follow are the operators'; no customer follows.
  void operators();
  /// `sha256_hex`: 64 lower-case digits. `expires_ms`: 0 for never; a part of a second is cut off.
  /// REQUIRES: `customer` or `operators` was called.
  void token(std::string_view sha256_hex, Scope scope, std::int64_t expires_ms);
  /// The whole document; the writer is spent.
  std::string finish();

 private:
  enum class Place : std::uint8_t { kBeforeCustomers, kInCustomer, kInOperators };
  void end_customer();
  void member(std::string_view name, std::string_view text);
  void member(std::string_view name, std::int64_t value);

  std::string text_;
  Place place_ = Place::kBeforeCustomers;
  bool is_first_token_ = true;
};

/// Reads what DocumentWriter writes, of this version and of others. One bad entry is left out, so
/// that it does not keep the others' changes from taking effect; members that are not known are
/// passed over. kInvalid where the text is no JSON object, and where a customer or a token stands
/// twice: whose is it? A YAML text is read as a customers.yaml without references to the
/// environment. `text` has room behind its end while it is read, and is as it was afterwards.
/// `name` stands in errors.
Result<Directory::ReadDocument> read_document(std::string& text, std::string name);

/// The same document with one more operator's token, which reads.
std::string with_operator(std::string_view document, std::string_view sha256_hex);

/// Whether two documents hold the same members. A new program must not take the document that an
/// old one wrote of the same revision for another content.
bool are_of_one_version(std::string_view left, std::string_view right);

}  // namespace vigia::tenancy
