#include "services/storage/api/label_api.hpp"

#include <algorithm>
#include <optional>

#include "libs/base/json_text.hpp"
#include "libs/model/label_name.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/label_json.hpp"

namespace vigia::storage::api {
namespace {

// As Prometheus says it, of either limit.
constexpr std::string_view kCut = "results truncated due to limit";
constexpr std::size_t kNodeBytes = 96;  // of a text in a set, beside its letters

// The first of all texts in order, one more than the limit: that shows that there are more.
class FirstTexts {
 public:
  FirstTexts(std::size_t limit, lanes::AnswerMemory& memory) : limit_(limit), memory_(memory) {}

  /// False where whoever gives texts in order has none that are wanted any more.
  bool add(std::string_view text) {
    // Kept sorted and bounded while it grows: a customer's values may be millions, the limit a
    // hundred.
    if (!fits_ || (texts_.size() > limit_ && text > *texts_.rbegin())) return false;
    if (texts_.find(text) != texts_.end()) return true;
    fits_ = memory_.add(kNodeBytes + text.size());
    if (!fits_) return false;
    texts_.emplace(text);
    if (texts_.size() <= limit_ + 1) return true;
    memory_.release(kNodeBytes + texts_.rbegin()->size());
    texts_.erase(std::prev(texts_.end()));
    return true;
  }
  Result<std::set<std::string>> take(const Result<void>& walked) {
    if (!walked) return forward(walked);
    if (!fits_) return tl::unexpected<Error>(fits_.error());
    std::set<std::string> all;
    while (!texts_.empty())
      all.insert(all.end(), std::move(texts_.extract(texts_.begin()).value()));
    return all;
  }

 private:
  std::set<std::string, std::less<>> texts_;
  const std::size_t limit_;
  lanes::AnswerMemory& memory_;
  Result<void> fits_;
};

std::size_t json_bytes_max(const Labels& labels) { return labels_json_bytes_max(labels); }
std::size_t json_bytes_max(const std::string& text) { return kJsonGrowth * text.size() + 2; }

std::string to_json(const std::string& text) { return json_text(text); }
std::string to_json(const Labels& labels) { return labels_json(labels); }

// Takes the items apart as it goes, so that they are not there twice.
template <typename T>
net::Response answer(Result<std::set<T>> found, std::size_t items_max,
                     const std::shared_ptr<lanes::AnswerMemory>& memory, std::string_view gaps,
                     const store::WorkLimit& limit) {
  if (!found) return net::prometheus_error(found.error());
  AnswerBody body(memory, gaps);
  while (!found->empty()) {
    if (auto checked = limit.check(); !checked) return net::prometheus_error(checked.error());
    if (body.items() == items_max) return body.finish(kCut);
    const T item = std::move(found->extract(found->begin()).value());
    // By the upper bound: an item half written could not be taken back.
    if (!body.has_room(json_bytes_max(item))) return body.finish(kCut);
    if (auto added = body.add(to_json(item)); !added) return net::prometheus_error(added.error());
  }
  return body.finish("");
}

// Page after page, until no more are wanted.
template <typename Ask>
Result<void> walk_pages(const store::DayRange& days, const Ask& ask, FirstTexts& texts) {
  store::TextQuery query{days, ""};
  for (;;) {
    const auto page = ask(query);
    if (!page) return tl::unexpected<Error>(page.error());
    for (const std::string& text : page->texts) {
      if (!texts.add(text)) return {};
    }
    if (page->is_last || page->texts.empty()) return {};
    query.after = page->texts.back();
  }
}

}  // namespace

// Of each customer those that are kept of his.
store::DayRange LabelApi::days_of(const LabelQuery& query, const CustomerId& customer) const {
  const TimestampMs start_ms =
      kept_from_ ? std::max(query.start_ms, kept_from_(customer)) : query.start_ms;
  return read::days_between(start_ms, query.end_ms);
}

Result<std::set<Labels>> LabelApi::find_series(const Looking& looking,
                                               std::size_t series_max) const {
  const LabelQuery& query = looking.query;
  std::set<Labels> found;
  for (const store::LabelMatchers& set : query.sets) {
    const read::SeriesQuestion question{
        query.fence, set, [&](const CustomerId& customer) { return days_of(query, customer); },
        kAnswersMax};
    auto selected = read::select_series(catalog_, question, looking.memory, looking.limit);
    if (!selected) return forward(selected);
    for (read::SelectedSeries& series : *selected) {
      if (auto checked = looking.limit.check(); !checked) return forward(checked);
      const std::size_t bytes = read::memory_bytes(series);
      // The memory of one that is kept was taken by select_series() and goes over to the answer.
      const bool is_new = found.insert(std::move(series.labels)).second;
      if (found.size() > series_max) return found;  // one more than asked for: there are more
      if (is_new) continue;
      series.labels = Labels();
      looking.memory.release(bytes);
    }
  }
  return found;
}

Result<std::set<std::string>> LabelApi::find_names(const Looking& looking) const {
  const LabelQuery& query = looking.query;
  FirstTexts names(query.limit, looking.memory);
  Result<void> walked;
  if (query.sets.empty()) {
    for (const CustomerId& customer : read::customers_for(catalog_, query.fence, {})) {
      const auto ask = [&](const store::TextQuery& page) {
        return catalog_.label_names(customer, page, looking.limit);
      };
      walked = walk_pages(days_of(query, customer), ask, names);
      if (!walked) break;
    }
    return names.take(walked);
  }
  const auto series = find_series(looking, kAnswersMax);
  if (!series) return forward(series);
  for (const Labels& labels : *series) {
    for (const Label& label : labels) names.add(label.name);
  }
  return names.take(walked);
}

Result<std::set<std::string>> LabelApi::find_values(const Looking& looking,
                                                    std::string_view name) const {
  const LabelQuery& query = looking.query;
  FirstTexts values(query.limit, looking.memory);
  Result<void> walked;
  if (query.sets.empty()) {
    for (const CustomerId& customer : read::customers_for(catalog_, query.fence, {})) {
      const auto ask = [&](const store::TextQuery& page) {
        return catalog_.label_values(customer, name, page, looking.limit);
      };
      walked = walk_pages(days_of(query, customer), ask, values);
      if (!walked) break;
    }
    return values.take(walked);
  }
  const auto series = find_series(looking, kAnswersMax);
  if (!series) return forward(series);
  for (const Labels& labels : *series) {
    if (const auto value = labels.get(name); !value.empty()) values.add(value);
  }
  return values.take(walked);
}

net::Response LabelApi::labels(const net::Request& request, const store::WorkLimit& limit) const {
  const auto query = read_label_query(request);
  if (!query) return net::prometheus_error(query.error());
  const auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(query->fence));
  return answer(find_names({*query, *memory, limit}), query->limit, memory,
                gaps_.warning(share_of(query->fence)), limit);
}

net::Response LabelApi::values(const net::Request& request, std::string_view escaped,
                               const store::WorkLimit& limit) const {
  const std::string name = unescaped_name(escaped);
  if (!is_name(name)) {
    return net::prometheus_error({ErrorCode::kInvalid, "invalid label name"});
  }
  const auto query = read_label_query(request);
  if (!query) return net::prometheus_error(query.error());
  const auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(query->fence));
  return answer(find_values({*query, *memory, limit}, name), query->limit, memory,
                gaps_.warning(share_of(query->fence)), limit);
}

net::Response LabelApi::series(const net::Request& request, const store::WorkLimit& limit) const {
  const auto query = read_label_query(request);
  if (!query) return net::prometheus_error(query.error());
  if (query->sets.empty()) {
    return net::prometheus_error({ErrorCode::kInvalid, "no matcher is given"});
  }
  const auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(query->fence));
  return answer(find_series({*query, *memory, limit}, query->limit), query->limit, memory,
                gaps_.warning(share_of(query->fence)), limit);
}

}  // namespace vigia::storage::api
