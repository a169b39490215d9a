// What the looks at one store say of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::router::upstream {

/// Samples that one query may hold of a store which all customers share: as many are some 650 MiB
/// (docs/deployment.md).
inline constexpr std::uint64_t kQuerySamplesMax = 5'000'000;

/// On storage's /health, and on its answers: rows are missing which will come back. There of
/// anybody's, here of the customer's who asks.
inline constexpr std::string_view kIncompleteHeader = "x-vigia-incomplete";
/// Of some customers alone: an answer to one says whether of its rows.
bool is_of_some(std::string_view lacks);

/// From one thread at a time.
class StoreHealth {
 public:
  enum class Condition {
    kAnswers,  ///< whatever it says, and however late
    kSilent,   ///< it takes connections, or swallows them, and gave no answer in time
    kRefuses,  ///< nobody is there: whoever asks is told at once
  };

  /// What a look at it came to.
  void note(const Result<void>& look);
  Condition condition() const { return condition_; }
  /// What is on its way to it comes back no more. Not at the first refusal: a store that ends well
  /// takes nothing new and answers what it has.
  bool is_lost() const { return condition_ == Condition::kSilent || refusals_ >= 2; }

 private:
  Condition condition_ = Condition::kAnswers;
  int refusals_ = 0;
};

/// `query.max-samples` among the flags of a Prometheus (the data of /api/v1/status/flags); nothing
/// where it is not there or no number.
std::optional<std::uint64_t> query_samples_max(std::string_view flags);
/// `enable-feature` among them: names with commas between; nothing where it is not told.
std::optional<std::string> enabled_features(std::string_view flags);

}  // namespace vigia::router::upstream
