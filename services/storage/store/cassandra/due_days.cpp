#include "services/storage/store/cassandra/due_days.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::RowReader;

constexpr std::size_t kSeriesAtOnce = 16;
constexpr std::uint32_t kPageRows = 512;
constexpr std::size_t kMarksAtOnce = 512;
// Claims end after a minute (schema.cql, step 10).
constexpr Duration kRenewEach = std::chrono::seconds(20);
constexpr std::string_view kNoteName = "rollups";

std::int64_t bits(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// Rows of one run that stand beside each other: one kind does not replace the other.
std::int64_t writer_of(std::int64_t writer, DueKind kind) {
  constexpr std::int64_t kKinds = 4;
  return writer / kKinds * kKinds + static_cast<std::int64_t>(kind);
}

std::string series_marks() {
  std::string marks = "?";
  for (std::size_t i = 1; i < kSeriesAtOnce; ++i) marks += ", ?";
  return marks;
}

bool is_applied(const Page& page) { return page.rows() == 1 && page.row(0).read_tinyint() == 1; }

}  // namespace

void FirstMarked::note(const CustomerId& customer, std::uint32_t day) {
  const std::lock_guard lock(mutex_);
  const auto at = days_.find(customer);
  if (at != days_.end()) at->second = std::min(at->second, day);
}

std::uint32_t FirstMarked::take(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  return std::exchange(days_.try_emplace(customer, 0).first->second, UINT32_MAX);
}

Result<void> CassandraDueDays::prepare(Preparation& preparation) {
  if (auto prepared = rows_.prepare(preparation); !prepared) return prepared;
  constexpr std::string_view kScan =
      "SELECT series_id, day, writer, kind, stamp FROM {{}}.due_days WHERE customer_id = ? AND "
      "part = ? AND {}";
  scan_ = preparation.prepare(fmt::format(kScan, "(series_id, day) >= (?, ?)"), kPageRows);
  scan_between_ = preparation.prepare(
      fmt::format(kScan, "(series_id, day) >= (?, ?) AND (series_id, day) <= (?, ?)"), kPageRows);
  of_series_ = preparation.prepare(
      fmt::format(kScan, "series_id IN (" + series_marks() + ") AND day >= ? AND day <= ?"),
      kPageRows);
  list_parts_ = preparation.prepare("SELECT DISTINCT customer_id, part FROM {}.due_days");
  read_note_ = preparation.prepare("SELECT note FROM {}.rollup_notes WHERE name = ?");
  write_note_ = preparation.prepare("INSERT INTO {}.rollup_notes (name, note) VALUES (?, ?)");
  take_ = preparation.prepare_once(
      "INSERT INTO {}.rollup_claims (customer_id, holder) VALUES (?, ?) IF NOT EXISTS");
  renew_ = preparation.prepare_once(
      "UPDATE {}.rollup_claims SET holder = ? WHERE customer_id = ? IF holder = ?");
  let_go_ =
      preparation.prepare_once("DELETE FROM {}.rollup_claims WHERE customer_id = ? IF holder = ?");
  list_metrics_ =
      preparation.prepare("SELECT DISTINCT customer_id, metric, resolution FROM {}.chunk_days");
  list_days_ = preparation.prepare(
      "SELECT day, shard, class FROM {}.chunk_days WHERE customer_id = ? AND metric = ? AND "
      "resolution = ? AND day >= ?");
  return preparation.outcome();
}

// Of one run each is later than the one before, whatever its clock does.
std::int64_t CassandraDueDays::next_stamp() {
  const std::int64_t now_us = clock_.wall_ns() / 1000;
  std::int64_t last = stamp_;
  while (!stamp_.compare_exchange_weak(last, std::max(now_us, last + 1))) {
  }
  return std::max(now_us, last + 1);
}

std::set<DuePlace> CassandraDueDays::places_of(std::span<const ClosedChunk> chunks) const {
  std::set<DuePlace> places;
  if (!is_marking_) return places;
  for (const ClosedChunk& chunk : chunks) {
    if (chunk.resolution != Resolution::kRaw) continue;
    const std::uint64_t last = window_day_of(chunk.row.last_ms);  // of 32 bits it might not end
    for (std::uint64_t day = window_day_of(chunk.row.first_ms); day <= last; ++day) {
      places.insert({chunk.row.series, static_cast<std::uint32_t>(day)});
    }
  }
  return places;
}

bool CassandraDueDays::is_any_over(const std::set<DuePlace>& places) const {
  const std::uint32_t today = window_day_of(clock_.wall_ms());
  return std::any_of(places.begin(), places.end(),
                     [today](const DuePlace& place) { return place.day < today; });
}

Result<void> CassandraDueDays::mark(const CustomerId& customer, const std::set<DuePlace>& places) {
  return write(customer, places, DueKind::kPut);
}

Result<void> CassandraDueDays::write(const CustomerId& customer, const std::set<DuePlace>& places,
                                     DueKind kind) {
  std::vector<Mark> marks;
  marks.reserve(places.size());
  for (const DuePlace& place : places) {
    marks.push_back({place, writer_of(writer_, kind), next_stamp(), kind});
  }
  return rows_.write(customer, marks);
}

// A row that cannot be read is no mark, and nothing else is lost by it.
std::optional<CassandraDueDays::Mark> CassandraDueDays::parse(RowReader& row) {
  Mark mark;
  mark.place.series.value = static_cast<std::uint64_t>(row.read_bigint());
  const std::int64_t day = row.read_bigint();
  mark.writer = row.read_bigint();
  mark.kind = static_cast<DueKind>(row.read_tinyint());
  mark.stamp = row.read_bigint();
  if (!row.ok() || day < 0 || day > UINT32_MAX) return std::nullopt;
  if (mark.kind < DueKind::kFound || mark.kind > DueKind::kLost) return std::nullopt;
  mark.place.day = static_cast<std::uint32_t>(day);
  return mark;
}

/// What several runs, and kinds, say of one place. A lost day that has rows again is due as one
/// that had samples. REQUIRES: one at least.
DueDay CassandraDueDays::joined(std::span<const Mark> marks) {
  DueDay day{marks.front().place, 0, DueKind::kFound};
  bool is_put = false;
  std::size_t lost = 0;
  for (const Mark& mark : marks) {
    for (const std::int64_t value : {mark.writer, mark.stamp}) {
      constexpr std::uint64_t kPrime = 0x9e3779b97f4a7c15;
      constexpr unsigned kHalf = 32;
      day.stamp = (day.stamp ^ static_cast<std::uint64_t>(value)) * kPrime;
      day.stamp ^= day.stamp >> kHalf;
    }
    is_put = is_put || mark.kind == DueKind::kPut;
    lost += mark.kind == DueKind::kLost ? 1 : 0;
  }
  if (lost == marks.size()) {
    day.kind = DueKind::kLost;
  } else if (is_put || lost > 0) {
    day.kind = DueKind::kPut;
  }
  return day;
}

std::vector<DueDay> CassandraDueDays::joined_by_place(const std::vector<Mark>& marks) {
  std::vector<DueDay> days;
  for (std::size_t from = 0; from < marks.size();) {
    std::size_t to = from + 1;
    while (to < marks.size() && marks[to].place == marks[from].place) ++to;
    days.push_back(joined(std::span(marks).subspan(from, to - from)));
    from = to;
  }
  return days;
}

Result<std::vector<DueDay>> CassandraDueDays::due(const CustomerId& customer, const DuePlace& from,
                                                  std::size_t max) {
  std::vector<Mark> marks;
  std::size_t places = 0;
  for (std::int32_t part = mark_part_of(from.series); part < kMarkParts && max > 0; ++part) {
    BoundCells cells;
    cells.add_text(customer.text()).add_int(part);
    cells.add_bigint(bits(from.series.value)).add_bigint(from.day);
    Rows rows(session_, *scan_, std::move(cells), customer.text());
    while (true) {
      auto row = rows.next();
      if (!row) return forward(row);
      if (!*row) break;
      const auto mark = parse(**row);
      if (!mark) continue;
      if (marks.empty() || marks.back().place != mark->place) ++places;
      if (places > max) return joined_by_place(marks);
      marks.push_back(*mark);
    }
  }
  return joined_by_place(marks);
}

Result<std::vector<DueDay>> CassandraDueDays::due_of(const CustomerId& customer,
                                                     std::span<const SeriesId> series,
                                                     const DayRange& days) {
  std::map<std::int32_t, std::vector<SeriesId>> by_part;
  for (const SeriesId one : series) by_part[mark_part_of(one)].push_back(one);
  std::vector<BoundCells> asked;
  for (const auto& [part, some] : by_part) {
    for (std::size_t begin = 0; begin < some.size(); begin += kSeriesAtOnce) {
      BoundCells& cells = asked.emplace_back();
      cells.add_text(customer.text()).add_int(part);
      for (std::size_t i = 0; i < kSeriesAtOnce; ++i) {  // the last one again where they are fewer
        cells.add_bigint(bits(some[std::min(begin + i, some.size() - 1)].value));
      }
      cells.add_bigint(days.first).add_bigint(days.last);
    }
  }
  Requests requests(session_, customer.text());
  for (const BoundCells& cells : asked) requests.add(*of_series_, cells);
  auto pages = requests.wait();
  std::map<std::uint64_t, std::vector<Mark>> marks;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    Result<Page> page = std::move(pages[i]);
    while (true) {
      if (!page) return forward(page);
      for (std::size_t row = 0; row < page->rows(); ++row) {
        RowReader reader = page->row(row);
        if (const auto mark = parse(reader)) marks[mark->place.series.value].push_back(*mark);
      }
      const std::string state = page->paging_state();
      if (state.empty()) break;
      page = ask(session_, *of_series_, asked[i], customer.text(), state);
    }
  }
  std::vector<DueDay> all;
  for (const SeriesId one : series) {
    const auto some = joined_by_place(marks[one.value]);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Result<std::vector<CassandraDueDays::Mark>> CassandraDueDays::between(const CustomerId& customer,
                                                                      const DuePlace& first,
                                                                      const DuePlace& last) {
  BoundCells cells;
  cells.add_text(customer.text()).add_int(mark_part_of(first.series));
  cells.add_bigint(bits(first.series.value)).add_bigint(first.day);
  cells.add_bigint(bits(last.series.value)).add_bigint(last.day);
  Rows rows(session_, *scan_between_, std::move(cells), customer.text());
  std::vector<Mark> marks;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return marks;
    if (const auto mark = parse(**row)) marks.push_back(*mark);
  }
}

/// The rows of those places that are as they were read. By parts: what was read together lies
/// there together.
Result<std::vector<CassandraDueDays::Mark>> CassandraDueDays::unchanged(
    const CustomerId& customer, std::span<const DueDay> days) {
  std::map<std::int32_t, std::map<DuePlace, std::uint64_t>> by_part;
  for (const DueDay& day : days) by_part[mark_part_of(day.place.series)][day.place] = day.stamp;
  std::vector<Mark> same;
  for (const auto& [part, stamps] : by_part) {
    const auto marks = between(customer, stamps.begin()->first, stamps.rbegin()->first);
    if (!marks) return marks;
    for (std::size_t from = 0; from < marks->size();) {
      std::size_t to = from + 1;
      while (to < marks->size() && (*marks)[to].place == (*marks)[from].place) ++to;
      const std::span<const Mark> some = std::span(*marks).subspan(from, to - from);
      const auto known = stamps.find(some.front().place);
      if (known != stamps.end() && known->second == joined(some).stamp) {
        same.insert(same.end(), some.begin(), some.end());
      }
      from = to;
    }
  }
  return same;
}

Result<void> CassandraDueDays::done(const CustomerId& customer, std::span<const DueDay> days) {
  const auto marks = unchanged(customer, days);
  if (!marks) return forward(marks);
  return rows_.remove(customer, *marks);
}

// The new mark is there before the others go.
Result<void> CassandraDueDays::set_lost(const CustomerId& customer, std::span<const DueDay> days) {
  auto marks = unchanged(customer, days);
  if (!marks) return forward(marks);
  std::set<DuePlace> places;
  for (const Mark& mark : *marks) places.insert(mark.place);
  if (auto written = write(customer, places, DueKind::kLost); !written) return written;
  const std::int64_t own = writer_of(writer_, DueKind::kLost);
  std::erase_if(*marks, [own](const Mark& mark) { return mark.writer == own; });
  return rows_.remove(customer, *marks);
}

Result<std::size_t> CassandraDueDays::forget_before(std::uint32_t day) {
  std::size_t count = 0;
  Rows rows(session_, *list_parts_, {}, "");
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) return count;
    const auto customer = CustomerId::parse((*row)->read_text());
    const std::int32_t part = (*row)->read_int();
    if (!customer || !(*row)->ok()) continue;
    const auto gone = forget_part(*customer, part, day);
    if (!gone) return gone;
    count += *gone;
  }
}

Result<std::size_t> CassandraDueDays::forget_part(const CustomerId& customer, std::int32_t part,
                                                  std::uint32_t day) {
  BoundCells cells;
  cells.add_text(customer.text()).add_int(part).add_bigint(0).add_bigint(0);
  Rows rows(session_, *scan_, std::move(cells), customer.text());
  std::vector<Mark> old;
  std::optional<DuePlace> last;
  std::size_t count = 0;
  while (true) {
    auto row = rows.next();
    if (!row) return forward(row);
    const bool is_end = !*row;
    const auto mark = is_end ? std::optional<Mark>() : parse(**row);
    if (mark && mark->place.day < day) {
      count += last == mark->place ? 0 : 1;
      last = mark->place;
      old.push_back(*mark);
    }
    if (is_end || old.size() >= kMarksAtOnce) {
      if (auto removed = rows_.remove(customer, old); !removed) return forward(removed);
      old.clear();
    }
    if (is_end) return count;
  }
}

Result<bool> CassandraDueDays::claim(const CustomerId& customer) {
  const TimePoint now = clock_.steady();
  {
    const std::lock_guard lock(claims_mutex_);
    const auto at = claimed_.find(customer);
    if (at != claimed_.end() && now < at->second + kRenewEach) return true;
  }
  BoundCells cells;
  cells.add_text(customer.text()).add_bigint(writer_);
  const auto taken = ask(session_, *take_, cells, customer.text());
  if (!taken) return tl::unexpected<Error>(taken.error());
  bool is_own = is_applied(*taken);
  if (!is_own) {
    BoundCells again;
    again.add_bigint(writer_).add_text(customer.text()).add_bigint(writer_);
    const auto renewed = ask(session_, *renew_, again, customer.text());
    if (!renewed) return tl::unexpected<Error>(renewed.error());
    is_own = is_applied(*renewed);
  }
  const std::lock_guard lock(claims_mutex_);
  claimed_.erase(customer);
  if (is_own) claimed_.emplace(customer, now);
  return is_own;
}

// What cannot be told ends by itself.
void CassandraDueDays::let_go(const CustomerId& customer) {
  {
    const std::lock_guard lock(claims_mutex_);
    if (claimed_.erase(customer) == 0) return;
  }
  BoundCells cells;
  cells.add_text(customer.text()).add_bigint(writer_);
  (void)ask(session_, *let_go_, cells, customer.text());
}

Result<std::string> CassandraDueDays::note() {
  BoundCells cells;
  cells.add_text(kNoteName);
  const auto page = ask(session_, *read_note_, cells, "");
  if (!page) return tl::unexpected<Error>(page.error());
  if (page->rows() == 0) return std::string();
  return std::string(page->row(0).read_blob());
}

Result<void> CassandraDueDays::set_note(const std::string& note) {
  BoundCells cells;
  cells.add_text(kNoteName).add_blob(note);
  const auto written = ask(session_, *write_note_, cells, "");
  if (!written) return forward(written);
  return {};
}

}  // namespace vigia::storage::store::cassandra
