// /api/v1/labels, /api/v1/label/{name}/values and /api/v1/series, in the JSON form of Prometheus'
// HTTP interface. Remote read knows no labels, so the router asks these.
#pragma once

#include <set>
#include <string>

#include "libs/net/routes.hpp"
#include "services/storage/api/label_query.hpp"
#include "services/storage/read/series_reader.hpp"

namespace vigia::storage {

/// Parameters: label_query.hpp. With a range, series count only where they have a sample in it;
/// labels and values without matchers are those of all time. Where `limit` cuts an answer short,
/// "warnings" says so. Thread contract: any thread that may block.
class LabelApi {
 public:
  /// Both must outlive it.
  LabelApi(const SeriesIndex& index, const SeriesReader& reader) : index_(index), reader_(reader) {}
  net::Response labels(const net::Request& request) const;
  net::Response values(const net::Request& request, std::string_view name) const;
  net::Response series(const net::Request& request) const;

 private:
  Result<std::set<Labels>> find_series(const LabelQuery& query, std::size_t limit) const;
  Result<std::set<std::string>> find_names(const LabelQuery& query) const;
  Result<std::set<std::string>> find_values(const LabelQuery& query, std::string_view name) const;
  Result<bool> is_in_range(const LabelQuery& query, const SelectedSeries& series) const;

  const SeriesIndex& index_;
  const SeriesReader& reader_;
};

}  // namespace vigia::storage
