#include "services/router/run/series_census.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "libs/promql/copy.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/plan/cold_form.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::run {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kLongestMs = 100ULL * 365 * 86'400'000;
// Of a series that nobody listed: most have less.
constexpr std::uint64_t kUsualLabelBytes = 512;
// A query may group by thousands of labels; after so many looks its results count as its series.
constexpr std::uint64_t kLooksMax = 300'000;

void add_range(const promql::TimeRange& range, request::Form& form) {
  form.emplace_back("start", request::format_seconds(range.from_ms));
  form.emplace_back("end", request::format_seconds(range.to_ms));
}

upstream::Ask ask_of(const CensusQuestion& question, std::string path) {
  upstream::Ask ask(question.caller.customer, std::move(path), {}, true, question.timeout);
  ask.interest = question.interest;
  ask.lane = upstream::Lane::kLookUp;
  ask.is_within_turn = true;
  return ask;
}

upstream::Ask list_ask(const CensusQuestion& question) {
  upstream::Ask ask = ask_of(question, "/api/v1/series");
  ask.form.emplace_back("match[]", promql::print(promql::bare_of(question.selector)));
  add_range(question.range, ask.form);
  ask.form.emplace_back("limit", std::to_string(kCensusMax + 1));
  return ask;
}

upstream::Ask cold_ask(const CensusQuestion& question) {
  upstream::Ask ask = ask_of(question, "/api/v1/series");
  // Where a matcher cannot be said there are the more of them.
  plan::append_matchers(question.selector, ask.form);
  add_range({plan::cold_time(question.range.from_ms), plan::cold_time(question.range.to_ms)},
            ask.form);
  ask.form.emplace_back("limit", std::to_string(kCensusMax + 1));
  return ask;
}

upstream::Ask number_ask(const CensusQuestion& question) {
  upstream::Ask ask = ask_of(question, "/api/v1/query");
  promql::Selector stretched = promql::bare_of(question.selector);
  // Without signs: the two may lie further apart than a signed number reaches.
  const std::uint64_t length_ms = static_cast<std::uint64_t>(question.range.to_ms) -
                                  static_cast<std::uint64_t>(question.range.from_ms);
  stretched.range = std::chrono::milliseconds(std::min(length_ms, kLongestMs) + 1);
  ask.form.emplace_back("query",
                        fmt::format("count(last_over_time({}))", promql::print(stretched)));
  ask.form.emplace_back("time", request::format_seconds(question.range.to_ms));
  return ask;
}

Result<Census> read_number(const Result<wire::prometheus_api::Envelope>& answer) {
  if (!answer) return forward(answer);
  // Its samples alone are more than the store holds for one query.
  if (!answer->is_success()) return Census{kMost, std::nullopt};
  const auto number = json::read_vector_value(answer->data());
  if (!number) return forward(number);
  return Census{static_cast<std::uint64_t>(std::max(*number, 0.0)), std::nullopt};
}

Result<Census> read_list(const Result<wire::prometheus_api::Envelope>& answer,
                         access::ByteShares::HeldBytes held) {
  if (!answer) return forward(answer);
  if (!answer->is_success()) return Census{kMost, std::nullopt};
  auto series = json::LabelSets::read(answer->data());
  if (!series) return forward(series);
  // A store may cut its list sooner, by its bytes.
  const bool is_cut =
      std::any_of(answer->warnings().begin(), answer->warnings().end(),
                  [](const std::string& text) { return text.starts_with("results truncated"); });
  if (is_cut || series->size() > kCensusMax) return Census{kMost, std::nullopt};
  if (!held.grow(series->bytes())) {
    return fail(ErrorCode::kOverLimit,
                "other answers under way leave no room to count this query's series; read them, or "
                "ask for less");
  }
  const std::uint64_t count = series->size();
  return Census{count, std::move(*series), std::move(held)};
}

}  // namespace

const json::LabelSets* CountedSeries::series_of(std::size_t selector) const {
  const auto& census = found_[selector];
  return census && census->series ? &*census->series : nullptr;
}

std::uint64_t CountedSeries::count(std::size_t selector) const {
  const auto& census = found_[selector];
  return census ? census->count : others_.count(selector);
}

template <typename Look>
std::uint64_t CountedSeries::looked_at(std::size_t selector, Key key, const Look& look) const {
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  const std::uint64_t series = count(selector);
  if (looks_ > kLooksMax) return series;
  looks_ += series;
  return known_[std::move(key)] = look();
}

std::uint64_t CountedSeries::groups(std::size_t selector,
                                    const std::vector<std::string>& labels) const {
  const json::LabelSets* series = series_of(selector);
  if (series == nullptr) {
    return found_[selector] ? count(selector) : others_.groups(selector, labels);
  }
  return looked_at(selector, {found_[selector].get(), labels, 0},
                   [&] { return series->different({labels, true}); });
}

std::uint64_t CountedSeries::alike(std::size_t selector,
                                   const promql::VectorMatching& matching) const {
  const json::LabelSets* series = series_of(selector);
  if (series == nullptr) return count(selector);
  json::CountedLabels choice{matching.labels,
                             matching.scope == promql::VectorMatching::WhichLabels::kOn};
  // Without `on` the name does not count.
  if (!choice.is_only) choice.labels.emplace_back("__name__");
  return looked_at(selector, {found_[selector].get(), matching.labels, choice.is_only ? 1 : 2},
                   [&] { return series->most_alike(choice); });
}

std::uint64_t CountedSeries::label_bytes(std::size_t selector) const {
  const json::LabelSets* series = series_of(selector);
  if (series != nullptr) return series->largest();
  return found_[selector] ? kUsualLabelBytes : others_.label_bytes(selector);
}

void take_census(stores::Stores& stores, const CensusQuestion& question,
                 Task<void(Result<Census>)> done) {
  const bool is_hot = question.member.has_value();
  if (is_hot && stores.coverage().dialect() == promql::Dialect::kPrometheus2) {
    return stores.hot()[*question.member].ask(
        number_ask(question),
        [done = std::move(done)](const Result<wire::prometheus_api::Envelope>& answer) {
          done(read_number(answer));
        });
  }
  const std::string customer = question.caller.payer();
  auto take = [held = stores.shares().hold(customer), done = std::move(done)](
                  const Result<wire::prometheus_api::Envelope>& answer) mutable {
    done(read_list(answer, std::move(held)));
  };
  if (is_hot) return stores.hot()[*question.member].ask(list_ask(question), std::move(take));
  if (stores.cold() != nullptr) return stores.cold()->ask(cold_ask(question), std::move(take));
  stores.query()->ask(list_ask(question), std::move(take));
}

}  // namespace vigia::router::run
