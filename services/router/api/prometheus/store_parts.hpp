// Answers of hot and of storage that make one: which of them has come, and what is said of the
// others.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/net/message.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/plan/notes.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// What storage, and a Prometheus of 3.x, say of an answer that a limit has cut.
inline constexpr std::string_view kCut = "results truncated due to limit";

/// What is said of a hot shard that does not answer; which one is told where there are several.
std::string missing_hot(const access::Caller& caller, std::string_view shard);

/// The parts of one answer, numbered as they were asked: the caller's hot shards, then storage. One
/// thread at a time.
class StoreParts {
 public:
  using Answer = Result<wire::prometheus_api::Envelope>;

  /// `stores` must outlive it. `since_ms`: from when on the caller asks; none: ever since.
  StoreParts(stores::Stores& stores, const access::Caller& caller,
             std::optional<TimestampMs> since_ms);

  /// A part that cannot be used.
  void note_missing(std::size_t number, const Answer& answer);
  /// A part that is there, and what storage says beside it.
  void note_there(std::size_t number, const Answer& answer);

  /// What is said beside them, whatever comes.
  void note(std::string warning) { notes_.warnings.push_back(std::move(warning)); }

  /// Where no part is there: a store's refusal, else an error.
  net::Response refused() const;
  /// What is said beside those that are there. Once: the warnings are moved out.
  plan::Notes take_notes();
  /// Storage had more, or the caller's own limit leaves some out.
  void note_cut() { is_cut_ = true; }

 private:
  bool is_cold(std::size_t number) const { return number == hot_.size(); }

  stores::Stores& stores_;
  const std::vector<const stores::AskedShard*> hot_;
  const access::Caller caller_;
  const std::optional<TimestampMs> since_ms_;
  bool is_cut_ = false;
  bool has_cold_failed_ = false;
  plan::Notes notes_;
  std::optional<net::Response> refused_;
  std::optional<Error> too_much_;      ///< our own word or a store's, instead of an answer
  std::optional<Error> cold_refusal_;  ///< where the long-term store has failed
};

}  // namespace vigia::router::api::prometheus
