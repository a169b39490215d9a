#include "services/storage/store/rocksdb/catalog_by_names.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr std::size_t kSeriesOfPage = 256;
constexpr std::size_t kTextsOfPage = 1'000;
constexpr std::size_t kPageBytes = 1U << 20U;

class SearchCursor final : public SeriesCursor {
 public:
  SearchCursor(kv::OrderedStore& store, const index::SeriesWalk::Wanted& wanted,
               const WorkLimit& limit)
      : walk_(store, wanted, limit) {}

  Result<std::vector<FoundSeries>> next() override {
    std::vector<FoundSeries> page;
    while (page.size() < kSeriesOfPage) {
      auto series = walk_.next();
      if (!series) return tl::unexpected<Error>(series.error());
      if (!series->has_value()) break;
      page.push_back(std::move(**series));
    }
    return page;
  }

 private:
  index::SeriesWalk walk_;
};

class NoSeries final : public SeriesCursor {
 public:
  Result<std::vector<FoundSeries>> next() override { return std::vector<FoundSeries>(); }
};

// Fills a page from a walk over texts that ends when its visitor returns false.
template <typename Walk>
Result<TextPage> page_of(const Walk& walk) {
  TextPage page;
  page.is_last = true;
  std::size_t bytes = 0;
  const Result<void> walked = walk([&](std::string_view text) {
    if (page.texts.size() == kTextsOfPage || bytes > kPageBytes) {
      page.is_last = false;
      return false;
    }
    bytes += text.size();
    page.texts.emplace_back(text);
    return true;
  });
  if (!walked) return tl::unexpected<Error>(walked.error());
  return page;
}

}  // namespace

Result<std::uint64_t> CatalogByNames::seed_of(const CustomerId& customer) {
  const auto number = index_.number_of(customer);
  if (!number) return tl::unexpected<Error>(number.error());
  return index_.seed_of(*number);
}

Result<void> CatalogByNames::resolve(const CustomerId& customer, std::vector<NewSeries>& series) {
  const auto number = index_.number_of(customer);
  if (!number) return tl::unexpected<Error>(number.error());
  std::vector<index::UnresolvedSeries> unresolved;
  unresolved.reserve(series.size());
  for (NewSeries& one : series) {
    unresolved.push_back({*number, std::move(one.labels), one.wire_hash, {}, false, one.days});
  }
  // All new series of a request in one write to the index.
  auto done = index_.resolve(unresolved);
  if (done) done = index_.note_days(unresolved);
  for (std::size_t i = 0; i < series.size(); ++i) {
    series[i].labels = std::move(unresolved[i].labels);
    series[i].id = unresolved[i].id;
    series[i].is_new = unresolved[i].is_new;
  }
  return done;
}

Result<std::vector<std::string>> CatalogByNames::metrics_of(
    const CustomerId& customer, const std::vector<SeriesId>& ids) const {
  std::vector<std::string> metrics(ids.size());
  const auto number = index_.find_customer(customer);
  if (!number.has_value()) return metrics;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto labels = index_.labels_of(*number, ids[i]);
    if (!labels) return tl::unexpected<Error>(labels.error());
    if (labels->has_value()) metrics[i] = std::string((*labels)->metric_name());
  }
  return metrics;
}

std::vector<CustomerId> CatalogByNames::customers() const {
  std::vector<CustomerId> all;
  for (index::Customer& customer : index_.customers()) all.push_back(std::move(customer.id));
  return all;
}

std::unique_ptr<SeriesCursor> CatalogByNames::select(const CustomerId& customer,
                                                     const SeriesQuery& query,
                                                     const WorkLimit& limit) const {
  const auto number = index_.find_customer(customer);
  if (!number.has_value()) return std::make_unique<NoSeries>();
  return std::make_unique<SearchCursor>(
      store_,
      index::SeriesWalk::Wanted{*number, query.matchers,
                                index_.without_expired(*number, query.days)},
      limit);
}

Result<TextPage> CatalogByNames::label_names(const CustomerId& customer, const TextQuery& query,
                                             const WorkLimit& limit) const {
  const auto number = index_.find_customer(customer);
  if (!number.has_value()) return TextPage{{}, true};
  return page_of(
      [&](const auto& visit) { return index_.label_names(*number, query, visit, limit); });
}

Result<TextPage> CatalogByNames::label_values(const CustomerId& customer, std::string_view name,
                                              const TextQuery& query,
                                              const WorkLimit& limit) const {
  const auto number = index_.find_customer(customer);
  if (!number.has_value()) return TextPage{{}, true};
  return page_of(
      [&](const auto& visit) { return index_.label_values(*number, name, query, visit, limit); });
}

}  // namespace vigia::storage::store::rocksdb
