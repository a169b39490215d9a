#include "services/monitor/live/down_time.hpp"

#include <algorithm>
#include <cstddef>

namespace vigia::monitor::live {
namespace {

// A step that is shorter may hold no sample only because the sample lies beside it.
constexpr std::int64_t kCoarseStepS = 60;
// What is missing at the end for no longer than this has only not arrived yet.
constexpr std::int64_t kArrivalS = 45;
// Fewer samples than this share of the usual number is a part of a step without any.
constexpr double kUsualShare = 0.9;

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// How many steps usually lie between two that hold samples.
std::size_t usual_distance(const std::vector<StepFacts>& steps) {
  std::vector<double> distances;
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].samples <= 0) continue;
    if (last) distances.push_back(static_cast<double>(i - *last));
    last = i;
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(median_of(std::move(distances))));
}

double usual_pace(const std::vector<StepFacts>& steps) {
  std::vector<double> paces;
  for (const auto& step : steps) {
    if (step.samples > 0) paces.push_back(step.samples / static_cast<double>(step.seconds));
  }
  return median_of(std::move(paces));
}

/// Steps without samples, from `first` to before `end`.
struct Hole {
  std::size_t first;
  std::size_t end;
};

bool is_long(const Hole& hole, const std::vector<StepFacts>& steps, std::size_t distance) {
  std::int64_t seconds = 0;
  for (auto i = hole.first; i < hole.end; ++i) seconds += steps[i].seconds;
  if (hole.end == steps.size() && seconds <= kArrivalS) return false;
  if (distance > 1) return hole.end - hole.first >= 2 * distance;
  return steps[hole.first].seconds >= kCoarseStepS || hole.end - hole.first >= 2;
}

// At fine steps the node was down for the whole hole, not only from when it was next asked; what of
// it lies in an outage of ours says nothing of the node, nor does `up` of that time.
void fill(const Hole& hole, const std::vector<StepFacts>& steps,
          std::vector<StepJudgement>& judged) {
  const auto is_ours = [&](std::size_t i) {
    return steps[i].outage_share > 0 && steps[i].seconds < kCoarseStepS;
  };
  bool was_down = false;
  for (auto i = hole.first; i < hole.end; ++i) {
    const double rest = 1 - steps[i].outage_share;  // of which we know
    const double silent = rest - steps[i].up_share.value_or(1);
    was_down = was_down || (!is_ours(i) && silent > rest / 2);
  }
  for (auto i = hole.first; i < hole.end; ++i) {
    const auto up = steps[i].up_share;
    auto& one = judged[i];
    if (is_ours(i)) {
      one = {0, 1};
      continue;
    }
    one.outage = steps[i].outage_share;
    if (!was_down) {
      one.down = one.outage >= kUsualShare ? std::optional(0.0) : std::nullopt;
    } else if (steps[i].seconds < kCoarseStepS) {
      one.down = 1;
    } else {
      one.down = std::max(0.0, 1 - up.value_or(0) - one.outage);
    }
  }
}

double missing_share(const StepFacts& step, double pace) {
  const double usual = pace * static_cast<double>(step.seconds);
  if (step.seconds < kCoarseStepS || usual < 2) return 0;
  const double share = step.samples / usual;
  return share < kUsualShare ? 1 - share : 0;
}

}  // namespace

std::vector<StepJudgement> judge_steps(const std::vector<StepFacts>& steps) {
  const auto distance = usual_distance(steps);
  const double pace = usual_pace(steps);
  std::vector<StepJudgement> judged(steps.size(), StepJudgement{0.0});
  bool is_first = true;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].samples > 0) {
      // What is missing in its very first step was before the node was there.
      const double missing = is_first ? 0 : missing_share(steps[i], pace);
      judged[i].outage = std::min(missing, steps[i].outage_share);
      const double down = std::min(missing, 1 - steps[i].up_share.value_or(1));
      judged[i].down = std::max(0.0, down - judged[i].outage);
      is_first = false;
      continue;
    }
    Hole hole{i, i};
    while (hole.end < steps.size() && steps[hole.end].samples <= 0) ++hole.end;
    // Before its first sample of all nothing is known of a node, unless it was asked in vain.
    if (is_long(hole, steps, distance) || hole.first == 0) fill(hole, steps, judged);
    i = hole.end - 1;
  }
  return judged;
}

}  // namespace vigia::monitor::live
