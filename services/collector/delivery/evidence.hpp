// Whether a destination takes anything at all: what tells one customer's bad data from an outage.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

/// When the destination last took something, from whichever lane. Thread contract: any thread.
class Evidence {
 public:
  /// An answer of success. `is_data`: it was to data, not to a request with nothing in it.
  void note_taken(TimePoint now, bool is_data);
  TimePoint last() const { return TimePoint{Duration{last_.load()}}; }
  /// A sample of that time was taken.
  void note_newest(std::int64_t timestamp_ms);
  /// Of all samples that were taken; 0: none. The destination's own newest is not older.
  std::int64_t newest_ms() const { return newest_ms_; }
  bool taken_since(TimePoint time) const { return last_ >= time.time_since_epoch().count(); }
  bool data_taken_since(TimePoint time) const {
    return last_data_ >= time.time_since_epoch().count();
  }

 private:
  std::atomic<Duration::rep> last_{0};
  std::atomic<Duration::rep> last_data_{0};
  std::atomic<std::int64_t> newest_ms_{0};
};

/// What is sent to learn whether a destination takes anything.
struct Probe {
  Signal signal = Signal::kMetrics;
  /// The message of that time; it may be empty.
  std::function<std::string(std::int64_t now_ms)> message;
  bool is_data = false;  ///< a sample of our own, so that what it shows holds for data
};

/// Asks where nobody's data tells. Before a time was confirmed the time of data in hand is lent to
/// it, or the request is empty, which shows only that the destination answers: one whose disk is
/// full does. Thread contract: any thread.
class Prober {
 public:
  Prober(Probe probe, MessageTransport& transport, std::shared_ptr<Evidence> evidence,
         const Clock& clock, clock::ConfirmedTime& time);
  /// Sends a probe, unless one is under way or was sent within kInterval. A success is noted. It
  /// goes in nobody's name: a customer of whom a store takes nothing would look like an outage.
  /// `data_ms`: the time of a sample that the destination has taken, or is to; used only before a
  /// time was confirmed. 0: none is known.
  void ask(std::int64_t data_ms = 0);
  /// `wake` is called, on any thread, whenever a probe was answered. Before the first ask.
  void on_answer(std::function<void()> wake);

  static constexpr auto kInterval = std::chrono::seconds(1);

 private:
  void send(TimePoint now, std::int64_t data_ms);
  struct State {
    std::vector<std::function<void()>> wakes;
    std::atomic<bool> is_asking{false};
    std::atomic<Duration::rep> asked{0};
  };
  Probe probe_;
  MessageTransport& transport_;
  std::shared_ptr<Evidence> evidence_;
  const Clock& clock_;
  clock::ConfirmedTime& time_;
  std::shared_ptr<State> state_ = std::make_shared<State>();  // shared with a probe's answer
};

/// For remote write one sample of vigia_exporter_probe{exporter,collector}, for OTLP a request with
/// nothing in it.
Probe remote_write_probe(const std::string& exporter, const std::string& collector);
Probe empty_probe(Signal signal);

}  // namespace vigia::collector::delivery
