#include "services/storage/store/cassandra/due_mark_rows.hpp"

#include <algorithm>

#include "services/storage/store/cassandra/rows_together.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr int kPartShift = 59;
constexpr std::size_t kRequestsAtOnce = 512;

void add_key(BoundCells& cells, const CustomerId& customer, const DueMark& mark) {
  cells.add_text(customer.text()).add_int(mark_part_of(mark.place.series));
  cells.add_bigint(static_cast<std::int64_t>(mark.place.series.value));
  cells.add_bigint(mark.place.day).add_bigint(mark.writer);
}

void add_row(BoundCells& cells, const CustomerId& customer, const DueMark& mark) {
  add_key(cells, customer, mark);
  cells.add_tinyint(static_cast<std::int8_t>(mark.kind));
  cells.add_bigint(mark.stamp).add_bigint(mark.stamp);
}

void add_deletion(BoundCells& cells, const CustomerId& customer, const DueMark& mark) {
  cells.add_bigint(mark.stamp);
  add_key(cells, customer, mark);
}

// Of how many of the first ones, which lie in one part.
std::size_t first_size(std::span<const DueMark> marks) {
  const std::int32_t part = mark_part_of(marks.front().place.series);
  const std::size_t most = std::min(marks.size(), DueMarkRows::kTogether.front());
  std::size_t same = 1;
  while (same < most && mark_part_of(marks[same].place.series) == part) ++same;
  return size_index(DueMarkRows::kTogether, same);
}

}  // namespace

std::int32_t mark_part_of(SeriesId series) {
  return static_cast<std::int32_t>(
      std::min<std::uint64_t>(series.value >> static_cast<unsigned>(kPartShift), kMarkParts - 1));
}

Result<void> DueMarkRows::prepare(Preparation& preparation) {
  constexpr std::string_view kAdd =
      "INSERT INTO {0}.due_days (customer_id, part, series_id, day, writer, kind, stamp) VALUES "
      "(?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
  constexpr std::string_view kDelete =
      "DELETE FROM {0}.due_days USING TIMESTAMP ? WHERE customer_id = ? AND part = ? AND series_id "
      "= ? AND day = ? AND writer = ?";
  for (std::size_t i = 0; i < kTogether.size(); ++i) {
    add_[i] = preparation.prepare(rows_together(kAdd, kTogether[i]));
    delete_[i] = preparation.prepare(rows_together(kDelete, kTogether[i]));
  }
  return preparation.outcome();
}

Result<void> DueMarkRows::write(const CustomerId& customer, std::span<const DueMark> marks) {
  return send(add_, add_row, customer, marks);
}

Result<void> DueMarkRows::remove(const CustomerId& customer, std::span<const DueMark> marks) {
  return send(delete_, add_deletion, customer, marks);
}

Result<void> DueMarkRows::send(const Statements& statements, AddCells add_cells,
                               const CustomerId& customer, std::span<const DueMark> marks) {
  Requests requests(session_, customer.text());
  std::size_t under_way = 0;
  while (!marks.empty()) {
    const std::size_t index = first_size(marks);
    BoundCells cells;
    for (const DueMark& mark : marks.first(kTogether[index])) add_cells(cells, customer, mark);
    requests.add(*statements[index], cells);
    marks = marks.subspan(kTogether[index]);
    if (++under_way % kRequestsAtOnce != 0) continue;
    if (auto sent = requests.wait_for_all(); !sent) return sent;
  }
  return requests.wait_for_all();
}

}  // namespace vigia::storage::store::cassandra
