#include "services/collector/delivery/evidence.hpp"

#include "libs/base/fault.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::delivery {
namespace {

/// Of several threads' the greatest stays.
template <typename Value>
void raise(std::atomic<Value>& known, Value to) {
  Value seen = known;
  while (seen < to && !known.compare_exchange_weak(seen, to)) {
  }
}

}  // namespace

void Evidence::note_taken(TimePoint now, bool is_data) {
  const Duration::rep time = now.time_since_epoch().count();
  raise(last_, time);
  if (is_data) raise(last_data_, time);
}

void Evidence::note_newest(std::int64_t timestamp_ms) { raise(newest_ms_, timestamp_ms); }

Prober::Prober(Probe probe, MessageTransport& transport, std::shared_ptr<Evidence> evidence,
               const Clock& clock, clock::ConfirmedTime& time)
    : probe_(std::move(probe)),
      transport_(transport),
      evidence_(std::move(evidence)),
      clock_(clock),
      time_(time) {}

void Prober::ask(std::int64_t data_ms) {
  const TimePoint now = clock_.steady();
  const Duration::rep asked = state_->asked;
  // Asked from every lane as often as it likes; one probe at a time goes out.
  if (asked != 0 && now - TimePoint{Duration{asked}} < kInterval) return;
  if (state_->is_asking.exchange(true)) return;
  state_->asked = now.time_since_epoch().count();
  const bool is_sent = contain_faults("a probe", [&] { send(now, data_ms); });
  if (!is_sent) state_->is_asking = false;
}

void Prober::send(TimePoint now, std::int64_t data_ms) {
  const auto time = time_.now();
  const std::int64_t time_ms = time ? time->ms : data_ms;
  transport_.send(CustomerId::provider(), probe_.signal,
                  time_ms != 0 ? probe_.message(time_ms) : std::string(),
                  [state = state_, evidence = evidence_, is_data = probe_.is_data && time_ms != 0,
                   now, time_ms, is_lent = !time](Answer answer) {
                    // A lent time may be one that the store does not take, which tells no more.
                    // Older stores refuse a request without a customer, also one with nothing in
                    // it: they answer, which is all that an empty one can show.
                    const bool is_taken = answer.kind == Answer::Kind::kTaken;
                    const bool is_judged =
                        answer.kind == Answer::Kind::kRefused || (answer.is_too_new && is_lent);
                    const bool is_shown = is_taken || (is_judged && (!is_data || is_lent));
                    // As of when it was sent: what failed after that may be an outage that has
                    // begun since.
                    if (is_shown) evidence->note_taken(now, is_data && is_taken);
                    if (is_data && is_taken) evidence->note_newest(time_ms);
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

}  // namespace vigia::collector::delivery
