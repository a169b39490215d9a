#include "services/collector/marks/marks.hpp"

#include <algorithm>
#include <utility>

namespace vigia::collector::marks {
namespace {

class HotMarks final : public Marks {
 public:
  HotMarks(HeartbeatSettings settings, delivery::MessageTransport& transport, const Clock& clock,
           clock::ConfirmedTime& time)
      : heartbeat_(std::move(settings), transport, clock, time), time_(time) {}

  void note_loss() override { heartbeat_.note_loss(); }
  void note_losses(const Losses& losses) override {
    std::set<CustomerId> customers = losses.gone;
    customers.insert(losses.refused.begin(), losses.refused.end());
    if (!customers.empty()) heartbeat_.note_losses({customers.begin(), customers.end()});
  }
  std::optional<std::int64_t> advance(const Progress& progress,
                                      const std::function<Heartbeat::Waiting()>& waiting,
                                      std::function<bool()> go_on) override {
    const auto now = time_.now();
    const bool is_marked =
        heartbeat_.advance(progress.complete_until_ms, progress.lost, waiting(), std::move(go_on));
    if (!is_marked || !now) return std::nullopt;
    // A mark is a full minute before that.
    return std::min(progress.complete_until_ms, now->ms) - Heartbeat::kMinuteMs;
  }

 private:
  Heartbeat heartbeat_;
  clock::ConfirmedTime& time_;
};

class ColdMarks final : public Marks {
 public:
  ColdMarks(ColdHolesSettings settings, delivery::MessageTransport& transport, const Clock& clock,
            clock::ConfirmedTime& time)
      : holes_(std::move(settings), transport, clock, time) {}

  void note_loss() override { holes_.note_loss(); }
  void note_losses(const Losses& losses) override {
    if (!losses.gone.empty()) holes_.note_losses({losses.gone.begin(), losses.gone.end()});
  }
  std::optional<std::int64_t> advance(const Progress& progress,
                                      const std::function<Heartbeat::Waiting()>& /*waiting*/,
                                      std::function<bool()> go_on) override {
    holes_.advance(progress.complete_until_ms, progress.lost, std::move(go_on));
    return std::nullopt;
  }

 private:
  ColdHoles holes_;
};

}  // namespace

std::unique_ptr<Marks> make_hot_marks(HeartbeatSettings settings,
                                      delivery::MessageTransport& transport, const Clock& clock,
                                      clock::ConfirmedTime& time) {
  return std::make_unique<HotMarks>(std::move(settings), transport, clock, time);
}

std::unique_ptr<Marks> make_cold_marks(ColdHolesSettings settings,
                                       delivery::MessageTransport& transport, const Clock& clock,
                                       clock::ConfirmedTime& time) {
  return std::make_unique<ColdMarks>(std::move(settings), transport, clock, time);
}

}  // namespace vigia::collector::marks
