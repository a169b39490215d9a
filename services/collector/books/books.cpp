#include "services/collector/books/books.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace vigia::collector::books {
namespace {

using service::MetricType;

/// "metric_points", "spans", "log_records": how the stock metrics name items.
std::string_view stock_items(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "metric_points";
    case Signal::kTraces:
      return "spans";
    case Signal::kLogs:
      return "log_records";
  }
  return "metric_points";
}

/// The stock metrics name the receiver's kind and what carried the request.
service::MetricLabels receiver_labels(const std::string& transport) {
  const bool is_remote_write = transport == "remote_write";
  return {{"receiver", is_remote_write ? "prometheusremotewrite" : "otlp"},
          {"transport", is_remote_write ? "http" : transport}};
}

void show_stock(const service::MetricRegistry::Emit& emit, std::string_view prefix,
                std::string_view help, Signal signal, const service::MetricLabels& labels,
                std::uint64_t count) {
  const std::string name = std::string(prefix) + std::string(stock_items(signal));
  emit(name, help, MetricType::kCounter, labels, static_cast<double>(count));
}

}  // namespace

struct Books::State {
  // Names are a customer's id, a signal, an exporter, a reason: all bounded by the configuration.
  using Key = std::tuple<std::string, Signal, std::string, std::string>;
  using Table = std::map<Key, std::uint64_t, std::less<>>;

  mutable std::mutex mutex;
  Table received;               // customer, signal
  Table rejected;               // customer, signal, "", reason
  Table filtered;               // customer, signal, "", "" or what took them out later
  Table sent;                   // customer, signal, exporter
  Table dropped;                // customer, signal, exporter, reason
  Table queued;                 // customer, signal, exporter
  Table at_start;               // customer, signal, exporter
  Table unexplained;            // customer, signal, exporter
  Table accepted_by_transport;  // "", signal, transport
  Table refused_by_transport;
  Table send_failed;  // "", signal, exporter
  std::map<std::pair<std::string, std::string>, std::uint64_t> processor_faults;  // customer
  StockParts parts;

  void leave_queue(const Key& key, std::uint64_t items);
  void collect(const service::MetricRegistry::Emit& emit) const;
  void collect_books(const service::MetricRegistry::Emit& emit) const;
  void collect_stock(const service::MetricRegistry::Emit& emit) const;
  void collect_stock_processors(const service::MetricRegistry::Emit& emit) const;
  void collect_stock_exporters(const service::MetricRegistry::Emit& emit) const;
  /// Items of that signal that found no room in what is the exporters' queue, the disk log.
  std::uint64_t not_queued(Signal signal) const;
};

/// More can leave than was seen to come: of a record whose head could not be read at the start. It
/// is told apart, since a queue below nought would hide it in a sum.
void Books::State::leave_queue(const Key& key, std::uint64_t items) {
  std::uint64_t& waiting = queued[key];
  if (items > waiting) {
    unexplained[key] += items - waiting;
    waiting = items;
  }
  waiting -= items;
}

void Books::State::collect_books(const service::MetricRegistry::Emit& emit) const {
  struct Shown {
    const Table& table;
    std::string_view name;
    std::string_view help;
    MetricType type;
  };
  const std::array<Shown, 8> all{{
      {received, "vigia_items_received_total", "Items that came with a good token",
       MetricType::kCounter},
      {rejected, "vigia_items_rejected_total", "Items refused, their senders were told",
       MetricType::kCounter},
      {filtered, "vigia_items_filtered_total",
       "Items that processors took out, as they are set up to", MetricType::kCounter},
      {sent, "vigia_items_sent_total", "Items that their destination has taken",
       MetricType::kCounter},
      {dropped, "vigia_items_dropped_total", "Items given up after they were acknowledged",
       MetricType::kCounter},
      {queued, "vigia_items_queued", "Items that wait for their destination", MetricType::kGauge},
      {at_start, "vigia_items_queued_at_start", "Items that waited when the process started",
       MetricType::kGauge},
      {unexplained, "vigia_items_unexplained_total", "Items that left and were never seen to come",
       MetricType::kCounter},
  }};
  for (const auto& shown : all) {
    for (const auto& [key, count] : shown.table) {
      const auto& [customer, signal, exporter, reason] = key;
      service::MetricLabels labels{{"customer_id", customer},
                                   {"signal", std::string(to_string(signal))}};
      if (!exporter.empty()) labels.emplace_back("exporter", exporter);
      if (!reason.empty()) labels.emplace_back("reason", reason);
      emit(shown.name, shown.help, shown.type, labels, static_cast<double>(count));
    }
  }
  for (const auto& [key, count] : processor_faults) {
    emit("vigia_processor_faults_total",
         "Conditions and statements that could not be run for an item, whatever error_mode says",
         MetricType::kCounter, {{"customer_id", key.first}, {"processor", key.second}},
         static_cast<double>(count));
  }
}

void Books::State::collect_stock(const service::MetricRegistry::Emit& emit) const {
  const auto transports = [&emit](const Table& table, std::string_view prefix,
                                  std::string_view help) {
    for (const auto& [key, count] : table) {
      show_stock(emit, prefix, help, std::get<1>(key), receiver_labels(std::get<2>(key)), count);
    }
  };
  transports(accepted_by_transport, "otelcol_receiver_accepted_", "Items taken");
  transports(refused_by_transport, "otelcol_receiver_refused_", "Items refused");
  collect_stock_processors(emit);
  collect_stock_exporters(emit);
}

/// All that is judged has passed all of them, and what they refuse is refused before anybody has
/// counted its items: vigia_requests_refused_total.
void Books::State::collect_stock_processors(const service::MetricRegistry::Emit& emit) const {
  std::map<Signal, std::uint64_t> came;
  std::map<Signal, std::uint64_t> taken_out;
  for (const auto& [key, count] : accepted_by_transport) came[std::get<1>(key)] += count;
  for (const auto& [key, count] : filtered) taken_out[std::get<1>(key)] += count;
  for (const auto& [signal, count] : came) {
    for (const std::string& id : parts.processors) {
      // Which of several has dropped an item is not in the books.
      const std::uint64_t left_out = id == parts.dropping ? taken_out[signal] : 0;
      const service::MetricLabels labels{{"processor", id}};
      show_stock(emit, "otelcol_processor_accepted_", "Items that passed", signal, labels, count);
      show_stock(emit, "otelcol_processor_refused_", "Items refused after they were counted",
                 signal, labels, 0);
      show_stock(emit, "otelcol_processor_dropped_", "Items dropped", signal, labels, left_out);
      const service::MetricLabels of_signal{{"processor", id},
                                            {"otel_signal", std::string(to_string(signal))}};
      emit("otelcol_processor_incoming_items", "Items that came to it", MetricType::kCounter,
           of_signal, static_cast<double>(count));
      emit("otelcol_processor_outgoing_items", "Items that it passed on", MetricType::kCounter,
           of_signal, static_cast<double>(count - std::min(count, left_out)));
    }
  }
  std::set<std::string_view> customers;
  for (const auto& [key, count] : received) customers.insert(std::get<0>(key));
  for (const std::string& id : parts.processors) {
    emit("otelcol_processor_batch_metadata_cardinality",
         "Customers, of each of which batches are its own", MetricType::kGauge, {{"processor", id}},
         static_cast<double>(customers.size()));
  }
}

std::uint64_t Books::State::not_queued(Signal signal) const {
  std::uint64_t items = 0;
  for (const auto& [key, count] : rejected) {
    const std::string& reason = std::get<3>(key);
    const bool is_room = reason == to_string(RequestReason::kFull) ||
                         reason == to_string(RequestReason::kShare) ||
                         reason == to_string(RequestReason::kSideShare);
    if (std::get<1>(key) == signal && is_room) items += count;
  }
  return items;
}

void Books::State::collect_stock_exporters(const service::MetricRegistry::Emit& emit) const {
  using OfExporter = std::map<std::pair<std::string, Signal>, std::uint64_t>;
  OfExporter sent_by;
  OfExporter failed_by;
  for (const auto& [id, signals] : parts.exporters) {
    for (const Signal signal : signals) {
      sent_by[{id, signal}] = failed_by[{id, signal}] = 0;
      show_stock(emit, "otelcol_exporter_enqueue_failed_", "Items refused for want of room on disk",
                 signal, {{"exporter", id}}, not_queued(signal));
    }
  }
  for (const auto& [key, count] : sent) sent_by[{std::get<2>(key), std::get<1>(key)}] += count;
  for (const auto& [key, count] : send_failed)
    failed_by[{std::get<2>(key), std::get<1>(key)}] += count;
  for (const auto& [key, count] : sent_by)
    show_stock(emit, "otelcol_exporter_sent_", "Items sent", key.second, {{"exporter", key.first}},
               count);
  for (const auto& [key, count] : failed_by)
    show_stock(emit, "otelcol_exporter_send_failed_", "Items of attempts that failed", key.second,
               {{"exporter", key.first}}, count);
}

void Books::State::collect(const service::MetricRegistry::Emit& emit) const {
  const std::lock_guard lock(mutex);
  collect_books(emit);
  collect_stock(emit);
}

Books::Books(service::MetricRegistry& registry) : state_(std::make_shared<State>()) {
  registry.on_collect(
      [state = state_](const service::MetricRegistry::Emit& emit) { state->collect(emit); });
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    for (const char* transport : {"grpc", "http"}) {
      state_->accepted_by_transport[{"", signal, transport, ""}] = 0;
      state_->refused_by_transport[{"", signal, transport, ""}] = 0;
    }
  }
}

void Books::know_parts(StockParts parts) {
  const std::lock_guard lock(state_->mutex);
  state_->parts = std::move(parts);
}

std::uint64_t Books::Arrival::accepted() const {
  std::uint64_t left = items - std::min(items, filtered);
  for (const auto& [reason, count] : rejected) left -= std::min(left, count);
  return left;
}

void Books::Arrival::refuse_rest(RequestReason reason) {
  const std::uint64_t rest = accepted() + std::exchange(filtered, 0);
  rejected.emplace_back(reason, rest);
}

void Books::arrived(const Arrival& arrival) {
  const std::uint64_t accepted = arrival.accepted();
  const std::string& customer = arrival.customer.text();
  const State::Key by_transport{"", arrival.signal, std::string(arrival.transport), ""};
  const std::lock_guard lock(state_->mutex);
  state_->received[{customer, arrival.signal, "", ""}] += arrival.items;
  for (const auto& [reason, count] : arrival.rejected) {
    if (count > 0)
      state_->rejected[{customer, arrival.signal, "", std::string(reason.label())}] += count;
  }
  if (arrival.filtered > 0)
    state_->filtered[{customer, arrival.signal, "", ""}] += arrival.filtered;
  // A receiver has taken what a processor behind it takes out.
  const std::uint64_t taken = accepted + arrival.filtered;
  state_->accepted_by_transport[by_transport] += taken;
  state_->refused_by_transport[by_transport] += arrival.items - std::min(arrival.items, taken);
  for (const std::string_view exporter : arrival.exporters) {
    const State::Key key{customer, arrival.signal, std::string(exporter), ""};
    state_->queued[key] += accepted;
    // Shown as 0 from the first arrival on: a counter that appears with its first increase has none
    // to who reads it.
    state_->sent.try_emplace(key, 0);
    state_->unexplained.try_emplace(key, 0);
  }
}

void Books::processor_failed(const CustomerId& customer, std::string_view processor,
                             std::uint64_t faults) {
  const std::lock_guard lock(state_->mutex);
  state_->processor_faults[{customer.text(), std::string(processor)}] += faults;
}

void Books::queued_at_start(const CustomerId& customer, Signal signal, std::string_view exporter,
                            std::uint64_t items) {
  const std::lock_guard lock(state_->mutex);
  const State::Key key{customer.text(), signal, std::string(exporter), ""};
  state_->at_start[key] += items;
  state_->queued[key] += items;
  state_->unexplained.try_emplace(key, 0);
}

void Books::sent(const CustomerId& customer, Signal signal, std::string_view exporter,
                 std::uint64_t items) {
  const std::lock_guard lock(state_->mutex);
  const State::Key key{customer.text(), signal, std::string(exporter), ""};
  state_->sent[key] += items;
  state_->leave_queue(key, items);
}

void Books::dropped(const CustomerId& customer, Signal signal, std::string_view exporter,
                    DropCause cause, std::uint64_t items) {
  if (items == 0) return;
  const std::lock_guard lock(state_->mutex);
  state_
      ->dropped[{customer.text(), signal, std::string(exporter), std::string(to_string(cause))}] +=
      items;
  state_->leave_queue({customer.text(), signal, std::string(exporter), ""}, items);
}

void Books::sampled_out(const CustomerId& customer, Signal signal,
                        const std::vector<std::string>& exporters, std::uint64_t items) {
  if (items == 0) return;
  const std::lock_guard lock(state_->mutex);
  state_->filtered[{customer.text(), signal, "", "tail_sampling"}] += items;
  for (const std::string& exporter : exporters)
    state_->leave_queue({customer.text(), signal, exporter, ""}, items);
}

void Books::send_failed(Signal signal, std::string_view exporter, std::uint64_t items) {
  const std::lock_guard lock(state_->mutex);
  state_->send_failed[{"", signal, std::string(exporter), ""}] += items;
}

std::map<std::string, std::uint64_t> Books::queued_by_customer(std::string_view exporter) const {
  const std::lock_guard lock(state_->mutex);
  std::map<std::string, std::uint64_t> queued;
  for (const auto& [key, items] : state_->queued)
    if (items > 0 && std::get<2>(key) == exporter) queued[std::get<0>(key)] += items;
  return queued;
}

Books::Line Books::line(const CustomerId& customer, Signal signal,
                        std::string_view exporter) const {
  const std::lock_guard lock(state_->mutex);
  const auto sum = [&](const State::Table& table, std::string_view name) {
    std::uint64_t total = 0;
    for (const auto& [key, count] : table) {
      if (std::get<0>(key) == customer.text() && std::get<1>(key) == signal &&
          std::get<2>(key) == name) {
        total += count;
      }
    }
    return total;
  };
  return {sum(state_->received, ""),       sum(state_->rejected, ""),
          sum(state_->filtered, ""),       sum(state_->sent, exporter),
          sum(state_->dropped, exporter),  sum(state_->queued, exporter),
          sum(state_->at_start, exporter), sum(state_->unexplained, exporter)};
}

}  // namespace vigia::collector::books
