// Values of one label that lie in several partitions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"

namespace vigia::storage::store::cassandra {

/// A label's name as the rows of a part have it: names of labels hold no NUL.
std::string value_key(std::string_view name, Shard part);

/// Columns of a row's days. Of one that the first does not say an earlier one was, and was deleted
/// with what expired: 0. Without a last one the row has expired.
std::uint32_t read_first_day(vigia::cassandra::RowReader& row);
std::optional<std::uint32_t> read_last_day(vigia::cassandra::RowReader& row);

struct DatedText {
  std::string text;
  std::uint32_t first_day = 0;
  std::optional<std::uint32_t> last_day;  ///< nothing: it has expired
};

/// Rows of all parts in the order of their texts, each once. Thread contract: one thread.
class TextRows {
 public:
  /// Must outlive it: what cannot be read is counted there.
  explicit TextRows(std::atomic<std::uint64_t>& malformed) : malformed_(malformed) {}
  /// `key` is what the cells point at, and may be empty.
  Result<void> add(std::unique_ptr<std::string> key, std::unique_ptr<Rows> rows);
  /// Nothing at the end.
  Result<std::optional<DatedText>> next();

 private:
  struct Part {
    std::unique_ptr<std::string> key;
    std::unique_ptr<Rows> rows;
    std::optional<DatedText> text;
  };
  Result<void> advance(Part& part);

  std::atomic<std::uint64_t>& malformed_;
  std::vector<Part> parts_;
};

}  // namespace vigia::storage::store::cassandra
