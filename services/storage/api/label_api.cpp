#include "services/storage/api/label_api.hpp"

#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/kv/day_set.hpp"

namespace vigia::storage {
namespace {

// `items` are JSON already.
net::Response success(const std::vector<std::string>& items, bool is_cut) {
  net::Response response;
  response.headers.add("content-type", "application/json");
  std::string& body = response.body;
  body = R"({"status":"success","data":[)";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) body += ',';
    body += items[i];
  }
  body += ']';
  if (is_cut) body += R"(,"warnings":["results truncated due to limit"])";
  body += '}';
  return response;
}

net::Response texts(const Result<std::set<std::string>>& found, std::size_t limit) {
  if (!found) return net::prometheus_error(found.error());
  std::vector<std::string> items;
  for (const std::string& text : *found) {
    if (items.size() == limit) return success(items, true);
    items.push_back(json_text(text));
  }
  return success(items, false);
}

std::string to_json(const Labels& labels) {
  std::string json = "{";
  for (const Label& label : labels) {
    if (json.size() > 1) json += ',';
    json += json_text(label.name) + ':' + json_text(label.value);
  }
  return json + '}';
}

}  // namespace

Result<bool> LabelApi::is_in_range(const LabelQuery& query, const SelectedSeries& series) const {
  if (!query.has_range) return true;
  return reader_.has_samples(series.customer, series.id, query.start_ms, query.end_ms);
}

Result<std::set<Labels>> LabelApi::find_series(const LabelQuery& query, std::size_t limit) const {
  std::set<Labels> found;
  for (const LabelMatchers& set : query.sets) {
    auto selected = select_series(index_, query.fence, set,
                                  days_between(query.start_ms, query.end_ms), kAnswersMax);
    if (!selected) return forward(selected);
    for (SelectedSeries& series : *selected) {
      const auto is_wanted = is_in_range(query, series);
      if (!is_wanted) return tl::unexpected<Error>(is_wanted.error());
      if (*is_wanted) found.insert(std::move(series.labels));
      if (found.size() > limit) return found;  // one more than asked for shows that there are more
    }
  }
  return found;
}

Result<std::set<std::string>> LabelApi::find_names(const LabelQuery& query) const {
  std::set<std::string> found;
  if (query.sets.empty()) {
    for (const Customer& customer : customers_for(index_, query.fence, {})) {
      auto names = index_.label_names(customer.number, day_of(query.start_ms), query.limit + 1);
      if (!names) return forward(names);
      found.insert(names->begin(), names->end());
    }
    return found;
  }
  const auto series = find_series(query, kAnswersMax);
  if (!series) return tl::unexpected<Error>(series.error());
  for (const Labels& labels : *series) {
    for (const Label& label : labels) found.insert(label.name);
  }
  return found;
}

Result<std::set<std::string>> LabelApi::find_values(const LabelQuery& query,
                                                    std::string_view name) const {
  std::set<std::string> found;
  if (query.sets.empty()) {
    for (const Customer& customer : customers_for(index_, query.fence, {})) {
      auto values =
          index_.label_values(customer.number, name, day_of(query.start_ms), query.limit + 1);
      if (!values) return forward(values);
      found.insert(values->begin(), values->end());
    }
    return found;
  }
  const auto series = find_series(query, kAnswersMax);
  if (!series) return tl::unexpected<Error>(series.error());
  for (const Labels& labels : *series) {
    if (const auto value = labels.get(name); !value.empty()) found.emplace(value);
  }
  return found;
}

net::Response LabelApi::labels(const net::Request& request) const {
  const auto query = read_label_query(request);
  if (!query) return net::prometheus_error(query.error());
  return texts(find_names(*query), query->limit);
}

net::Response LabelApi::values(const net::Request& request, std::string_view name) const {
  const auto query = read_label_query(request);
  if (!query) return net::prometheus_error(query.error());
  return texts(find_values(*query, name), query->limit);
}

net::Response LabelApi::series(const net::Request& request) const {
  const auto query = read_label_query(request);
  if (!query) return net::prometheus_error(query.error());
  if (query->sets.empty()) {
    return net::prometheus_error({ErrorCode::kInvalid, "no matcher is given"});
  }
  const auto found = find_series(*query, query->limit);
  if (!found) return net::prometheus_error(found.error());
  std::vector<std::string> items;
  for (const Labels& labels : *found) {
    if (items.size() == query->limit) return success(items, true);
    items.push_back(to_json(labels));
  }
  return success(items, false);
}

}  // namespace vigia::storage
