#include "services/router/request/slow_queries.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/net/form.hpp"
#include "libs/service/log.hpp"

namespace vigia::router::request {
namespace {

constexpr double kLinesOfOne = 10;
constexpr double kLinesOfOnePerSecond = 0.1;
constexpr double kLinesOfAll = 100;
constexpr double kLinesOfAllPerSecond = 10;
constexpr std::size_t kTimesBytesMax = 256;
constexpr std::size_t kSharesMax = 100'000;  // operators may name customers that there are not

// What a search is for; a query or selectors stand there alone.
constexpr std::array<std::string_view, 6> kSearched{"service", "operation", "spanKind",
                                                    "tags",    "tag",       "traceID"};
constexpr std::array<std::string_view, 14> kTimes{
    "time",  "start",     "end",      "step",        "since",       "lookback", "endTs",
    "limit", "direction", "interval", "minDuration", "maxDuration", "timeout",  "lookback_delta"};

/// True of what a terminal acts by, or shows in another order: C1, the ends of lines beyond ASCII,
/// marks of direction. The log itself escapes what is below 0x20, and DEL.
bool is_unseen(std::string_view letter) {
  if (letter.size() == 2) return letter >= "\xc2\x80" && letter <= "\xc2\x9f";
  if (letter.size() != 3) return false;
  return (letter >= "\xe2\x80\x8b" && letter <= "\xe2\x80\x8f") ||  // U+200B to U+200F
         (letter >= "\xe2\x80\xa8" && letter <= "\xe2\x80\xae") ||  // U+2028 to U+202E
         (letter >= "\xe2\x81\xa6" && letter <= "\xe2\x81\xa9") ||  // U+2066 to U+2069
         letter == "\xef\xbb\xbf";                                  // U+FEFF
}

/// Cut behind a whole character, and without any that is not seen.
std::string shown(std::string_view text, std::size_t bytes_max) {
  std::string_view rest = utf8_beginning(text, bytes_max);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(rest), 1);
    const std::string_view letter = rest.substr(0, length);
    if (is_unseen(letter)) {
      out += "\xef\xbf\xbd";
    } else {
      out += letter;
    }
    rest.remove_prefix(length);
  }
  return out;
}

void add_all(const Parameters& parameters, std::string_view name, Form& form) {
  for (std::string& value : parameters.all(name)) form.emplace_back(name, std::move(value));
}

std::string text_of(const Parameters& parameters) {
  const auto queries = parameters.all("query");
  if (!queries.empty()) return queries.front();
  std::string selectors;
  for (const char* name : {"match[]", "match"}) {
    for (const std::string& selector : parameters.all(name)) {
      selectors += (selectors.empty() ? "" : " or ") + selector;
    }
  }
  if (!selectors.empty()) return selectors;
  Form searched;
  for (const std::string_view name : kSearched) add_all(parameters, name, searched);
  std::string text;
  for (const auto& [name, value] : searched) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

}  // namespace

AskedQuery AskedQuery::of(const access::Caller& caller, const Parameters& parameters) {
  Form times;
  for (const std::string_view name : kTimes) add_all(parameters, name, times);
  return {caller.payer(), caller.is_operators, shown(text_of(parameters), kShownTextBytesMax),
          shown(net::encode_form(times), kTimesBytesMax)};
}

SlowQueries::SlowQueries(Duration threshold, service::MetricRegistry& metrics, const Clock& clock,
                         Write write)
    : threshold_(threshold),
      clock_(clock),
      write_(std::move(write)),
      slow_(metrics.counter("vigia_router_slow_queries_total",
                            "Requests that took as long as slow_query, or longer", {})),
      left_out_(metrics.counter("vigia_router_slow_queries_left_out_total",
                                "Of these, those that are not in the log: their customer, or all "
                                "together, had too many",
                                {})),
      all_{kLinesOfAll, clock.steady()} {}

bool SlowQueries::take(Share& share, double most, double per_second, TimePoint now) {
  const double passed = std::chrono::duration<double>(now - share.at).count();
  share.lines = std::min(most, share.lines + passed * per_second);
  share.at = now;
  if (share.lines < 1) return false;
  share.lines -= 1;
  return true;
}

SlowQueries::Share& SlowQueries::share_of(const std::string& customer, TimePoint now) {
  const bool has_room = shares_.size() < kSharesMax || shares_.contains(customer);
  return shares_.try_emplace(has_room ? customer : "", Share{kLinesOfOne, now}).first->second;
}

void SlowQueries::tell(SlowQuery query) {
  slow_.add();
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = clock_.steady();
    Share& own = share_of(query.asked.customer, now);
    if (!take(own, kLinesOfOne, kLinesOfOnePerSecond, now) ||
        !take(all_, kLinesOfAll, kLinesOfAllPerSecond, now)) {
      ++own.left_out;
      return left_out_.add();
    }
    query.left_out = std::exchange(own.left_out, 0);
  }
  write_(query);
}

void SlowQueries::write_to_log(const SlowQuery& query) {
  service::log_info(
      "slow query",
      {{"customer", query.asked.customer},
       {"owner", query.asked.is_operators ? "operator" : "customer"},
       {"route", query.route},
       {"seconds", fmt::format("{:.3f}", std::chrono::duration<double>(query.took).count())},
       {"status", std::to_string(query.status)},
       {"served", query.served},
       {"samples", query.samples ? std::to_string(*query.samples) : ""},
       {"times", query.asked.times},
       {"left_out", std::to_string(query.left_out)},
       {"text", query.asked.text}});
}

}  // namespace vigia::router::request
