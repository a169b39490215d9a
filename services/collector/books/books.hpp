// The books: how many items came, were refused, sent, dropped and still wait, per customer, signal
// and exporter. For every exporter that takes the signal:
//   queued_at_start + received + unexplained = rejected + filtered + sent + dropped + queued,
//   always.
// `unexplained` is what left and was never seen to come. It is 0 where the disk log and what lies
// aside could be read at the start: above that something was counted twice.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "libs/service/metrics.hpp"
#include "services/collector/books/reasons.hpp"

namespace vigia::collector::books {

/// Thread contract: any thread. Each call takes one short lock; calls come once a batch, never once
/// an item. Shows itself in the registry as vigia_items_*_total{customer_id,signal,…},
/// vigia_items_queued and vigia_items_queued_at_start, beside the stock names
/// otelcol_receiver_accepted_*, otelcol_receiver_refused_*, otelcol_exporter_sent_*,
/// otelcol_exporter_send_failed_*.
class Books {
 public:
  explicit Books(service::MetricRegistry& registry);

  /// A request with a good token whose outcome is known: nothing of it is in the books before.
  struct Arrival {
    CustomerId customer;
    Signal signal = Signal::kMetrics;
    std::string_view transport = {};  ///< "grpc", "http" or "remote_write"
    std::uint64_t items = 0;          ///< all that came
    /// Of these, refused.
    std::vector<std::pair<WhyRejected, std::uint64_t>> rejected = {};
    /// Of these, what processors took out, as they are set up to: their sender is told nothing.
    std::uint64_t filtered = 0;
    /// Those who will take the rest, which is durable; the configured ids.
    std::vector<std::string_view> exporters = {};
    std::uint64_t accepted() const;
    /// Nothing of it is kept: who sends it again sends all of it.
    void refuse_rest(RequestReason reason);
  };
  /// Enters all of it at once, so that the equation holds for whoever looks meanwhile. Before the
  /// sender is answered, and before an exporter can read what it will take.
  void arrived(const Arrival& arrival);

  // Exporters. `exporter` is the configured id. Items are the accepted ones of a record.
  /// A record that waits at the start; before intake begins and anything is dropped or sent.
  void queued_at_start(const CustomerId& customer, Signal signal, std::string_view exporter,
                       std::uint64_t items);
  /// They no longer wait: the destination has them. Here and below: what leaves and was not known
  /// to wait (its record could not be read at the start) is counted as unexplained.
  void sent(const CustomerId& customer, Signal signal, std::string_view exporter,
            std::uint64_t items);
  /// They no longer wait: given up.
  void dropped(const CustomerId& customer, Signal signal, std::string_view exporter,
               DropCause cause, std::uint64_t items);
  /// They no longer wait for any of these exporters: a processor behind the acknowledgement has
  /// taken them out, as it is set up to. Shown as filtered, with the reason "tail_sampling".
  void sampled_out(const CustomerId& customer, Signal signal,
                   const std::vector<std::string>& exporters, std::uint64_t items);
  /// An attempt failed; the items still wait, or are counted as dropped by their own call.
  void send_failed(Signal signal, std::string_view exporter, std::uint64_t items);

  /// Texts of a processor (its id) that could not be run for so many items.
  void processor_failed(const CustomerId& customer, std::string_view processor,
                        std::uint64_t faults);

  /// Parts of which the stock metrics have a series from the start on, as the OpenTelemetry
  /// Collector's own dashboards expect: an exporter with its signals, a processor by its id.
  struct StockParts {
    std::vector<std::pair<std::string, std::vector<Signal>>> exporters;
    std::vector<std::string> processors;
    std::string dropping = {};  ///< the processor that what was dropped is counted at; "": none
  };
  void know_parts(StockParts parts);

  /// Items that wait for that exporter, by the ids of those of whom some do.
  std::map<std::string, std::uint64_t> queued_by_customer(std::string_view exporter) const;

  /// What stands in the books, for tests and the invariant.
  struct Line {
    std::uint64_t received = 0, rejected = 0, filtered = 0, sent = 0, dropped = 0, queued = 0,
                  queued_at_start = 0, unexplained = 0;
  };
  Line line(const CustomerId& customer, Signal signal, std::string_view exporter) const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the registry's collect function
};

}  // namespace vigia::collector::books
