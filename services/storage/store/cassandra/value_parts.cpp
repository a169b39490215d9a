#include "services/storage/store/cassandra/value_parts.hpp"

#include <algorithm>
#include <utility>

namespace vigia::storage::store::cassandra {
using vigia::cassandra::RowReader;

std::uint32_t read_first_day(RowReader& row) {
  return row.take_null() ? 0 : static_cast<std::uint32_t>(std::max(row.read_int(), 0));
}

std::optional<std::uint32_t> read_last_day(RowReader& row) {
  if (row.take_null()) return std::nullopt;
  return static_cast<std::uint32_t>(std::max(row.read_int(), 0));
}

std::string value_key(std::string_view name, Shard part) {
  if (part == Shard{}) return std::string(name);
  std::string key(1, '\0');
  key += std::to_string(part.number);
  key += '\0';
  return key.append(name);
}

Result<void> TextRows::add(std::unique_ptr<std::string> key, std::unique_ptr<Rows> rows) {
  Part part{std::move(key), std::move(rows), std::nullopt};
  if (auto begun = advance(part); !begun) return begun;
  parts_.push_back(std::move(part));
  return {};
}

Result<void> TextRows::advance(Part& part) {
  part.text.reset();
  while (true) {
    auto row = part.rows->next();
    if (!row) return forward(row);
    if (!*row) return {};
    DatedText text;
    text.text = (*row)->read_blob();
    text.first_day = read_first_day(**row);
    text.last_day = read_last_day(**row);
    if ((*row)->ok()) {
      part.text = std::move(text);
      return {};
    }
    ++malformed_;
  }
}

// One that lies in several parts, from before and after they were divided: from the first of its
// first days to the last of its last ones.
Result<std::optional<DatedText>> TextRows::next() {
  std::optional<DatedText> found;
  for (const Part& part : parts_) {
    if (part.text && (!found || part.text->text < found->text)) found = part.text;
  }
  for (Part& part : parts_) {
    if (!found || !part.text || part.text->text != found->text) continue;
    if (part.text->last_day) {
      found->first_day =
          found->last_day ? std::min(found->first_day, part.text->first_day) : part.text->first_day;
      found->last_day = std::max(found->last_day, part.text->last_day);
    }
    if (auto next = advance(part); !next) return forward(next);
  }
  return found;
}

}  // namespace vigia::storage::store::cassandra
