// CassandraCatalog: the search by matchers.
#include <algorithm>
#include <list>

#include "services/storage/store/cassandra/catalog.hpp"
#include "services/storage/store/cassandra/value_parts.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::PreparedStatement;
using vigia::cassandra::RowReader;
using vigia::cassandra::Session;

constexpr std::size_t kSeriesOfPage = 256;
constexpr std::size_t kTextsOfPage = 1000;

bool is_on(const DayRange& days, const DayRange& wanted) {
  return wanted.first <= wanted.last && days.overlaps(wanted);
}

/// The series of one partition, by id.
class ShardRows {
 public:
  struct Found {
    SeriesId id;
    std::string labels;
    DayRange days;
  };
  ShardRows(Session& session, const PreparedStatement& statement, BoundCells cells,
            std::string_view owner, const WorkLimit& limit, std::atomic<std::uint64_t>& malformed)
      : rows_(session, statement, std::move(cells), owner, &limit), malformed_(malformed) {}

  const std::optional<Found>& front() const { return front_; }
  /// REQUIRED before front.
  Result<void> advance() {
    front_.reset();
    while (!front_) {
      auto row = rows_.next();
      if (!row) return forward(row);
      if (!*row) return {};
      take(**row);
    }
    return {};
  }

 private:
  void take(RowReader& row) {
    Found found;
    found.id.value = static_cast<std::uint64_t>(row.read_bigint());
    if (row.take_null()) return;  // what is left of a row that has expired
    found.labels = row.read_blob();
    found.days.first = read_first_day(row);
    const auto last = read_last_day(row);
    if (!last) return;
    found.days.last = *last;
    if (row.ok()) {
      front_ = std::move(found);
    } else {
      ++malformed_;
    }
  }

  Rows rows_;
  std::atomic<std::uint64_t>& malformed_;
  std::optional<Found> front_;
};

class Search final : public SeriesCursor {
 public:
  Search(Session& session, const CatalogStatements& statements, const CustomerId& customer,
         const SeriesQuery& query, const DayRange& days, const WorkLimit& limit,
         std::atomic<std::uint64_t>& malformed)
      : session_(session),
        statements_(statements),
        customer_(customer.text()),
        matchers_(query.matchers),
        days_(days),
        limit_(limit),
        malformed_(malformed) {
    BoundCells cells;
    cells.add_text(customer_);
    if (const auto metric = equality_on(matchers_, kNameLabel)) {
      only_metric_ = key_text(*metric);
      cells.add_text(only_metric_);
      metrics_ = std::make_unique<Rows>(session_, *statements_.list_shards, std::move(cells),
                                        customer_, &limit_);
    } else {
      metrics_ = std::make_unique<Rows>(session_, *statements_.list_all_shards, std::move(cells),
                                        customer_, &limit_);
    }
  }

  Result<std::vector<FoundSeries>> next() override {
    std::vector<FoundSeries> page;
    while (page.size() < kSeriesOfPage) {
      if (auto checked = limit_.check(); !checked) return forward(checked);
      if (shards_.empty()) {
        const auto opened = open_metric();
        if (!opened) return forward(opened);
        if (!*opened) break;
      }
      if (auto taken = take_first(page); !taken) return forward(taken);
    }
    return page;
  }

 private:
  /// Whether there is one more.
  Result<bool> open_metric() {
    std::vector<std::int32_t> shards;
    while (!ended_) {
      if (auto read = read_shard(); !read) return forward(read);
      // Shards of a metric follow each other.
      if (!shards.empty() && (ended_ || next_metric_ != metric_)) break;
      if (ended_) return false;
      metric_ = next_metric_;
      if (is_wanted(metric_)) shards.push_back(next_shard_);
      has_next_ = false;
    }
    for (const std::int32_t shard : shards) {
      BoundCells cells;
      cells.add_text(customer_).add_text(metric_).add_int(shard);
      auto& rows = shards_.emplace_back(session_, *statements_.scan_series, std::move(cells),
                                        customer_, limit_, malformed_);
      if (auto advanced = rows.advance(); !advanced) return forward(advanced);
    }
    return !shards.empty();
  }

  /// Into next_metric_ and next_shard_, where nothing stands there yet.
  Result<void> read_shard() {
    while (!has_next_) {
      if (auto checked = limit_.check(); !checked) return checked;
      auto row = metrics_->next();
      if (!row) return forward(row);
      if (!*row) {
        ended_ = true;
        return {};
      }
      next_metric_ = std::string((*row)->read_text());
      next_shard_ = (*row)->read_int();
      has_next_ = (*row)->ok();
      malformed_ += has_next_ ? 0 : 1;
    }
    return {};
  }

  bool is_wanted(const std::string& metric) const {
    return is_made_text(metric) ||
           std::all_of(matchers_.begin(), matchers_.end(), [&](const LabelMatcher& matcher) {
             return matcher.name() != kNameLabel || matcher.matches(metric);
           });
  }

  /// The series with the lowest id of all shards, to `page` where it is asked for.
  Result<void> take_first(std::vector<FoundSeries>& page) {
    std::erase_if(shards_, [](const ShardRows& rows) { return !rows.front(); });
    const auto first = std::min_element(shards_.begin(), shards_.end(),
                                        [](const ShardRows& left, const ShardRows& right) {
                                          return left.front()->id < right.front()->id;
                                        });
    if (first == shards_.end()) return {};
    const ShardRows::Found& found = *first->front();
    if (is_on(found.days, days_)) {
      const auto labels = decode_labels(found.labels);
      if (!labels) {
        ++malformed_;
      } else if (all_match(matchers_, *labels)) {
        page.push_back({found.id, to_labels(*labels)});
      }
    }
    return first->advance();
  }

  Session& session_;
  const CatalogStatements& statements_;
  const std::string customer_;
  const LabelMatchers& matchers_;
  const DayRange days_;
  const WorkLimit& limit_;
  std::atomic<std::uint64_t>& malformed_;
  std::string only_metric_;
  std::unique_ptr<Rows> metrics_;
  std::string next_metric_;
  std::int32_t next_shard_ = 0;
  bool has_next_ = false;
  bool ended_ = false;
  std::string metric_;
  std::list<ShardRows> shards_;
};

/// Texts that are given on the days.
Result<TextPage> read_texts(TextRows& rows, const DayRange& days, const WorkLimit& limit) {
  TextPage page;
  if (auto checked = limit.check(); !checked) return forward(checked);
  while (page.texts.size() < kTextsOfPage) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (!*row) {
      page.is_last = true;
      return page;
    }
    if (auto checked = limit.check(); !checked) return forward(checked);
    const std::optional<std::uint32_t> last = (*row)->last_day;
    if (last && is_on({(*row)->first_day, *last}, days)) {
      page.texts.push_back(std::move((*row)->text));
    }
  }
  return page;
}

}  // namespace

std::unique_ptr<SeriesCursor> CassandraCatalog::select(const CustomerId& customer,
                                                       const SeriesQuery& query,
                                                       const WorkLimit& limit) const {
  const DayRange days{std::max(query.days.first, kept_.day(customer, kIndexKind)), query.days.last};
  return std::make_unique<Search>(session_, statements_, customer, query, days, limit, malformed_);
}

Result<TextPage> CassandraCatalog::label_names(const CustomerId& customer, const TextQuery& query,
                                               const WorkLimit& limit) const {
  BoundCells cells;
  cells.add_text(customer.text()).add_text(query.after);
  TextRows texts(malformed_);
  auto added =
      texts.add(nullptr, std::make_unique<Rows>(session_, *statements_.list_names, std::move(cells),
                                                customer.text(), &limit));
  if (!added) return forward(added);
  return read_texts(
      texts, {std::max(query.days.first, kept_.day(customer, kIndexKind)), query.days.last}, limit);
}

Result<TextPage> CassandraCatalog::label_values(const CustomerId& customer, std::string_view name,
                                                const TextQuery& query,
                                                const WorkLimit& limit) const {
  if (name.empty() || name.size() > kKeyTextMax) return TextPage{{}, true};
  if (auto checked = limit.check(); !checked) return forward(checked);
  const auto parts = parts_of_label(customer, name);
  if (!parts) return forward(parts);
  TextRows texts(malformed_);
  for (const Shard part : *parts) {
    auto key = std::make_unique<std::string>(value_key(name, part));
    BoundCells cells;
    cells.add_text(customer.text()).add_text(*key).add_blob(query.after);
    auto rows = std::make_unique<Rows>(session_, *statements_.list_values, std::move(cells),
                                       customer.text(), &limit);
    if (auto added = texts.add(std::move(key), std::move(rows)); !added) return forward(added);
  }
  return read_texts(
      texts, {std::max(query.days.first, kept_.day(customer, kIndexKind)), query.days.last}, limit);
}

// The first one always.
Result<std::vector<Shard>> CassandraCatalog::parts_of_label(const CustomerId& customer,
                                                            std::string_view name) const {
  const auto places = places_.list(customer, {PlaceKind::kLabelValues, 0, name}, 0);
  if (!places) return forward(places);
  std::vector<Shard> parts = {Shard{}};
  for (const PlacedPart& place : *places) parts.push_back(place.shard);
  return parts;
}

}  // namespace vigia::storage::store::cassandra
