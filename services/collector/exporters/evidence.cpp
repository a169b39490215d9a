#include "services/collector/exporters/evidence.hpp"

#include "libs/base/fault.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector {

void Evidence::note_taken(TimePoint now, bool is_data) {
  const Duration::rep time = now.time_since_epoch().count();
  if (last_ < time) last_ = time;
  if (is_data && last_data_ < time) last_data_ = time;
}

void Evidence::note_newest(std::int64_t timestamp_ms) {
  std::int64_t known = newest_ms_;
  while (known < timestamp_ms && !newest_ms_.compare_exchange_weak(known, timestamp_ms)) {
  }
}

Prober::Prober(Probe probe, Transport& transport, std::shared_ptr<Evidence> evidence,
               const Clock& clock, ConfirmedTime& time)
    : probe_(std::move(probe)),
      transport_(transport),
      evidence_(std::move(evidence)),
      clock_(clock),
      time_(time) {}

void Prober::ask() {
  const TimePoint now = clock_.steady();
  const Duration::rep asked = state_->asked;
  if (asked != 0 && now - TimePoint{Duration{asked}} < kInterval) return;
  if (state_->is_asking.exchange(true)) return;
  state_->asked = now.time_since_epoch().count();
  const bool is_sent = contain_faults("a probe", [&] { send(now); });
  if (!is_sent) state_->is_asking = false;
}

void Prober::send(TimePoint now) {
  const auto time = time_.now();
  transport_.send(CustomerId::provider(), probe_.signal,
                  time ? probe_.message(time->ms) : std::string(),
                  [state = state_, evidence = evidence_, is_data = probe_.is_data && time, now,
                   time_ms = time ? time->ms : 0](Answer answer) {
                    // Older stores refuse a request without a customer, also one with nothing in
                    // it: they answer, which is all that an empty one can show.
                    const bool is_shown = answer.kind == Answer::Kind::kTaken ||
                                          (answer.kind == Answer::Kind::kRefused && !is_data);
                    // As of when it was sent: what failed after that may be an outage that has
                    // begun since.
                    if (is_shown) evidence->note_taken(now, is_data);
                    if (is_data && answer.kind == Answer::Kind::kTaken)
                      evidence->note_newest(time_ms);
                    state->is_asking = false;
                    for (const auto& wake : state->wakes) wake();
                  });
}

void Prober::on_answer(std::function<void()> wake) { state_->wakes.push_back(std::move(wake)); }

Probe remote_write_probe(const std::string& exporter, const std::string& collector) {
  const std::string labels = wire::remote_write::encode_labels(
      Labels::from({{std::string(kNameLabel), "vigia_exporter_probe"},
                    {"collector", collector.empty() ? "none" : collector},
                    {"exporter", exporter}}));
  return {.signal = Signal::kMetrics,
          .message =
              [labels](std::int64_t now_ms) {
                std::string message;
                wire::remote_write::append_sample(message, labels, {now_ms, 1});
                return message;
              },
          .is_data = true};
}

Probe empty_probe(Signal signal) {
  return {.signal = signal, .message = [](std::int64_t) { return std::string(); }};
}

}  // namespace vigia::collector
