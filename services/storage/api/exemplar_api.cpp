#include "services/storage/api/exemplar_api.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/label_json.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::string_view kCut = "results truncated due to limit";  // as Prometheus says it
constexpr std::size_t kGrowth = 2;  // a text that grows is there twice while it is copied
constexpr TimestampMs kMsPerSecond = 1'000;

std::string value_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string exemplar_json(const store::StoredExemplar& exemplar, const Labels& labels) {
  return fmt::format(R"({{"labels":{},"value":"{}","timestamp":{}.{:03}}})", labels_json(labels),
                     value_text(exemplar.sample.value), exemplar.sample.timestamp_ms / kMsPerSecond,
                     exemplar.sample.timestamp_ms % kMsPerSecond);
}

/// One series of the answer, and what may still be added to all of it.
class SeriesItem {
 public:
  SeriesItem(const Labels& labels, lanes::AnswerMemory& memory, std::size_t exemplars_max,
             const AnswerBody& body)
      : held_(memory), exemplars_left_(exemplars_max), body_(body) {
    text_ = R"({"seriesLabels":)" + labels_json(labels) + R"(,"exemplars":[)";
  }

  /// False where no more is wanted.
  bool add(const store::StoredExemplar& exemplar) {
    const auto labels = store::decode_labels(exemplar.label_bytes);
    if (!labels) return true;  // the store gives none such
    const std::string json = exemplar_json(exemplar, store::to_labels(*labels));
    is_cut_ = exemplars_left_ == 0 || !body_.has_room(text_.size() + json.size() + kEnd.size() + 1);
    if (is_cut_) return false;
    held_done_ = held_.set(kGrowth * (text_.size() + json.size() + 1));
    if (!held_done_) return false;
    if (count_++ > 0) text_ += ',';
    text_ += json;
    --exemplars_left_;
    return true;
  }
  const std::string& finish() { return text_ += kEnd; }
  std::size_t count() const { return count_; }
  bool is_cut() const { return is_cut_; }
  const Result<void>& held() const { return held_done_; }

 private:
  static constexpr std::string_view kEnd = "]}";

  lanes::HeldMemory held_;
  std::size_t exemplars_left_;
  const AnswerBody& body_;
  Result<void> held_done_;
  std::string text_;
  std::size_t count_ = 0;
  bool is_cut_ = false;
};

}  // namespace

// What of the range is kept of that customer.
store::ExemplarRange ExemplarApi::kept_of(const CustomerId& customer,
                                          store::ExemplarRange range) const {
  if (kept_from_) range.from_ms = std::max(range.from_ms, kept_from_(customer));
  return range;
}

// Those that have some, by labels; of a series that several sets match one.
Result<std::vector<read::SelectedSeries>> ExemplarApi::find_series(
    const LabelQuery& query, const store::ExemplarRange& range, lanes::AnswerMemory& memory,
    const store::WorkLimit& limit) const {
  std::map<std::pair<CustomerId, store::SeriesId>, read::SelectedSeries> found;
  for (const store::LabelMatchers& set : query.sets) {
    const read::SeriesQuestion question{query.fence, set,
                                        [&](const CustomerId& customer) {
                                          const store::ExemplarRange kept =
                                              kept_of(customer, range);
                                          return read::days_between(kept.from_ms, kept.to_ms);
                                        },
                                        kAnswersMax};
    auto selected = read::select_series(catalog_, question, memory, limit);
    if (!selected) return selected;
    for (read::SelectedSeries& one : *selected) {
      std::pair place(one.customer, one.id);
      found.try_emplace(std::move(place), std::move(one));
    }
  }
  std::vector<read::SelectedSeries> having;
  for (auto one = found.begin(); one != found.end();) {
    const CustomerId& customer = one->first.first;
    std::vector<store::SeriesId> ids;
    auto next = one;
    for (; next != found.end() && next->first.first == customer; ++next)
      ids.push_back(next->first.second);
    const auto some = exemplars_->having(customer, ids, kept_of(customer, range), limit);
    if (!some) return forward(some);
    for (const store::SeriesId id : *some) having.push_back(std::move(found.at({customer, id})));
    one = next;
  }
  std::sort(having.begin(), having.end(), [](const auto& left, const auto& right) {
    return std::tie(left.labels, left.customer) < std::tie(right.labels, right.customer);
  });
  return having;
}

net::Response ExemplarApi::exemplars(const net::Request& request,
                                     const store::WorkLimit& limit) const {
  auto query = read_label_query(request);
  if (query && query->sets.empty()) query = fail(ErrorCode::kInvalid, "no matcher is given");
  if (query && exemplars_ == nullptr)
    query = fail(ErrorCode::kInvalid, "this store keeps no exemplars");
  if (!query) return net::prometheus_error(query.error());
  const auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(query->fence));
  const store::ExemplarRange range{query->start_ms, query->end_ms};
  const auto series = find_series(*query, range, *memory, limit);
  if (!series) return net::prometheus_error(series.error());
  AnswerBody body(memory, gaps_.warning(share_of(query->fence)));
  Answering answering{body, *memory, query->limit, range, limit};
  for (const read::SelectedSeries& one : *series) {
    const auto is_whole = add(one, answering);
    if (!is_whole) return net::prometheus_error(is_whole.error());
    if (!*is_whole) return body.finish(kCut);
  }
  return body.finish("");
}

// False where it had to be cut. What the series' text held goes before the answer is finished.
Result<bool> ExemplarApi::add(const read::SelectedSeries& series, Answering& answering) const {
  SeriesItem item(series.labels, answering.memory, answering.left, answering.body);
  const auto read = exemplars_->read(
      series.customer, series.id, kept_of(series.customer, answering.range),
      [&](const store::StoredExemplar& exemplar) { return item.add(exemplar); }, answering.limit);
  if (!read) return forward(read);
  if (!item.held()) return forward(item.held());
  answering.left -= item.count();
  if (item.count() > 0) {
    if (auto added = answering.body.add(item.finish()); !added) return forward(added);
  }
  return !item.is_cut();
}

}  // namespace vigia::storage::api
