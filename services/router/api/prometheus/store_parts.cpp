#include "services/router/api/prometheus/store_parts.hpp"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "services/router/api/prometheus/answer.hpp"
#include "services/router/plan/replies.hpp"

namespace vigia::router::api::prometheus {
namespace {

bool is_too_much(const Error& error) {
  return error.code == ErrorCode::kOverLimit || error.code == ErrorCode::kTooLarge;
}

}  // namespace

std::string missing_hot(const access::Caller& caller, std::string_view shard) {
  const bool has_one = caller.customer && caller.hot_shards.size() < 2;
  if (has_one) return "hot part missing: the hot store does not answer";
  return fmt::format("hot part missing: the hot store {} does not answer", shard);
}

StoreParts::StoreParts(stores::Stores& stores, const access::Caller& caller,
                       std::optional<TimestampMs> since_ms)
    : stores_(stores), hot_(stores.hot_of(caller)), caller_(caller), since_ms_(since_ms) {}

void StoreParts::note_missing(std::size_t number, const Answer& answer) {
  // A store's refusal is passed on only where no store has an answer: see refused().
  if (answer && !answer->is_success()) refused_ = refusal(*answer);
  if (!answer && is_too_much(answer.error())) too_much_ = answer.error();
  if (!is_cold(number)) {
    notes_.warnings.push_back(missing_hot(caller_, hot_[number]->name()) +
                              ", so what is only there is missing here");
    return;
  }
  has_cold_failed_ = true;
  cold_refusal_ = plan::refusal_of(answer);
}

void StoreParts::note_there(std::size_t number, const Answer& answer) {
  if (!is_cold(number)) return;
  for (const std::string& warning : answer->warnings()) {
    if (warning == kCut) {
      is_cut_ = true;
    } else {
      notes_.warnings.push_back(warning);
    }
  }
}

net::Response StoreParts::refused() const {
  if (refused_) return *refused_;
  return error_response(too_much_.value_or(upstream::no_answer()));
}

plan::Notes StoreParts::take_notes() {
  if (has_cold_failed_) {
    notes_.warnings.push_back(
        fmt::format("cold part missing: {}, so what is only there is missing here",
                    plan::reason_of_cold(cold_refusal_)));
  }
  const auto replaced = stores_.cold_replacement();
  constexpr TimestampMs kEver = std::numeric_limits<TimestampMs>::min();
  if (replaced && replaced->lacks(since_ms_.value_or(kEver))) {
    notes_.warnings.push_back("cold part may be incomplete: " + replaced->text());
  }
  if (is_cut_) notes_.warnings.emplace_back(kCut);
  return std::move(notes_);
}

}  // namespace vigia::router::api::prometheus
