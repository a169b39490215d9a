// Series as answers of Prometheus' query API list them: their labels alone, with one sample, or
// with those of a range. An answer is walked once and no tree is built: one of 16 MiB would be ten
// times as large as a tree.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"

namespace vigia::wire::prometheus_api {

/// Names and values, sorted. Whoever is handed them may use them until it returns.
using LabelViews = std::vector<std::pair<std::string_view, std::string_view>>;

/// The value of a label, "" where the series has none.
std::string_view value_of(const LabelViews& labels, std::string_view name);
Labels to_labels(const LabelViews& labels);

struct ListedPoint {
  double time_s = 0;  ///< since 1970
  double value = 0;
};

// For all of these: `take` is called once a series, in the order of the answer. kCorrupt where the
// text is not what it should be, perhaps after some calls of `take`.

/// ["a","b"]; null is an empty list.
Result<void> read_texts(std::string_view list, const std::function<void(std::string_view)>& take);
/// [{"__name__":"up",…},…]; null is an empty list.
Result<void> read_label_sets(std::string_view list,
                             const std::function<void(const LabelViews&)>& take);
/// The data of an instant query:
/// {"resultType":"vector","result":[{"metric":{…},"value":[1.5,"42"]}, …]}. A native histogram has
/// no value and is left out.
Result<void> read_vector(std::string_view data,
                         const std::function<void(const LabelViews&, double)>& take);
/// The data of a range query: {"resultType":"matrix","result":[{"metric":{…},"values":[[1.5,"42"],
/// …]},…]}. A series of native histograms has no points.
Result<void> read_matrix(
    std::string_view data,
    const std::function<void(const LabelViews&, const std::vector<ListedPoint>&)>& take);

}  // namespace vigia::wire::prometheus_api
