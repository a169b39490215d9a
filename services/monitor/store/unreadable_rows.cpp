#include "services/monitor/store/unreadable_rows.hpp"

#include <fmt/format.h>

#include "libs/base/characters.hpp"
#include "libs/service/log.hpp"

namespace vigia::monitor::store {
namespace {

constexpr std::size_t kNameCharactersMax = 200;  // what stands there is anything

std::string text_of(const Row& row, std::size_t column) {
  if (column >= row.size()) return "";
  auto text = row.text(column);
  return text.empty() ? std::to_string(row.integer(column)) : text;
}

}  // namespace

void UnreadableRows::note(std::string_view table, std::string_view row, const Error& why) {
  std::string name = fmt::format("{}: {}", table, row);
  {
    const std::scoped_lock lock(mutex_);
    if (known_.size() >= kUnreadableRowsMax || !known_.insert(std::move(name)).second) return;
  }
  service::log_error(
      "a row of the database cannot be read and is left out: set it right or delete it",
      {{"table", std::string(table)}, {"row", std::string(row)}, {"error", why.message}});
}

std::size_t UnreadableRows::count() const {
  const std::scoped_lock lock(mutex_);
  return known_.size();
}

std::string name_of_row(const Row& row) {
  return one_line(text_of(row, 0) + " " + text_of(row, 1), kNameCharactersMax);
}

}  // namespace vigia::monitor::store
