#include "services/storage/store/cassandra/name_pages.hpp"

#include <algorithm>
#include <iterator>

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

// A page ends at either, as in every store.
constexpr std::size_t kPageNames = 1'000;
constexpr std::size_t kPageBytes = 1U << 20U;

}  // namespace

bool NamePages::First::add(Operation name) {
  if (next && name >= *next) return false;
  const std::size_t size = name.name.size();
  if (names.insert(std::move(name)).second) bytes += size;
  while (names.size() > names_max || (bytes > kPageBytes && names.size() > 1)) {
    next = std::move(names.extract(std::prev(names.end())).value());
    bytes -= next->name.size();
  }
  return true;
}

Result<OperationPage> NamePages::list(const std::vector<std::uint32_t>& days,
                                      const std::string& service,
                                      const std::optional<Operation>& after,
                                      std::size_t names_max) {
  First first{std::min(names_max, kPageNames)};
  for (const std::uint32_t day : days) {
    if (auto over = limit_.check(); !over) return forward(over);
    const auto parts = places_.list(customer_, {PlaceKind::kSpanNames, day, service}, 0, &limit_);
    if (!parts) return forward(parts);
    for (const PlacedPart& part : *parts) {
      auto added = add_part(day, service, part.shard, after, first);
      if (!added) return forward(added);
    }
  }
  return OperationPage{{first.names.begin(), first.names.end()}, !first.next};
}

Result<void> NamePages::add_part(std::uint32_t day, const std::string& service, Shard shard,
                                 const std::optional<Operation>& after, First& first) {
  const std::string behind = after ? after->name : "";
  BoundCells cells;
  cells.add_text(customer_.text()).add_int(day_column(day)).add_blob(service);
  cells.add_int(shard.number).add_blob(behind);
  cells.add_int(after ? static_cast<std::int32_t>(after->kind) : -1);
  Rows rows(session_, *statements_.read_span_names, std::move(cells), customer_.text(), &limit_);
  while (true) {
    if (auto over = limit_.check(); !over) return over;
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return {};
    Operation name;
    name.name = (*row)->read_blob();
    name.kind = static_cast<std::uint32_t>((*row)->read_int());
    if (!(*row)->ok()) return malformed_row("span_names");
    if (!first.add(std::move(name))) return {};
  }
}

}  // namespace vigia::storage::store::cassandra
