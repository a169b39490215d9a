// Service: how long each customer's data are kept, up to when they are read and taken, and what of
// it is told.
#include <algorithm>

#include <fmt/format.h>

#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

constexpr Duration kIndexAfterRaw = std::chrono::hours(48);
// Samples that are not older may come at any time: the hot store takes as old ones.
constexpr TimestampMs kPastMs = 2 * store::kDayMs;
// What is still said is noted again within so long.
constexpr TimestampMs kNotedAgainMs = (ingest::MetadataMemory::kNotedDaysMax + 1) * store::kDayMs;

// By the earlier of clock and records, as expiry goes, and with the day that it leaves standing.
TimestampMs oldest_taken_ms(TimestampMs now_ms, Duration keep) {
  if (keep == Duration(0)) return 0;
  const auto kept = std::chrono::duration_cast<std::chrono::milliseconds>(keep + kIndexAfterRaw);
  return std::max<TimestampMs>(now_ms - kept.count(), 0);
}

}  // namespace

// Before the first write and read: both go by it.
Result<void> Service::open_classes() {
  classes_ = std::make_unique<retention::ClassKeeper>(
      settings_.classes, retention::keeps_of(settings_.retention),
      directory_ + "/vigia-retention-customers", clock_);
  const std::vector<CustomerId> known = cold().catalog().customers();
  if (auto opened = classes_->open(known); !opened) return opened;
  classes_->start();
  class_retention_ = std::make_unique<retention::ClassRetention>(*classes_, settings_.retention);
  instance_->use_retention(*class_retention_);
  return {};
}

Result<void> Service::start_retention() {
  retention_guard_ = std::make_unique<retention::RetentionGuard>(
      directory_ + "/vigia-retention", std::min(classes_->shortest(), retention::kUnmadeKept),
      clock_);
  start_rollups();
  retention::SweepGate gate;
  gate.begin = [this] { return classes_->begin_sweep(); };
  gate.end = [this] { classes_->end_sweep(); };
  gate.changes = [this] { return classes_->changes(); };
  retention_ = std::make_unique<retention::RetentionSweeper>(
      retention_rules(), *retention_guard_, times_, settings_.retention.interval, std::move(gate));
  return {};
}

std::vector<retention::RetentionRule> Service::retention_rules() {
  using retention::DataKind;
  const auto cuts_of = [this](DataKind kind) {
    return [this, kind](TimestampMs now_ms) { return classes_->cuts(kind, now_ms); };
  };
  std::vector<retention::RetentionRule> rules = {
      {"raw", cuts_of(DataKind::kRaw),
       [this](const store::ExpiryCuts& cuts) { return expire_raw(cuts); }}};
  if (store::ExemplarStore* exemplars = cold().exemplars(); exemplars != nullptr) {
    rules.push_back(
        {"exemplars", cuts_of(DataKind::kRaw),
         [exemplars](const store::ExpiryCuts& cuts) { return exemplars->expire(cuts); }});
  }
  for (const Resolution resolution : rolling::kRolledUp) {
    rules.push_back({"roll-ups of " + std::string(to_string(resolution)),
                     makes_rollups(resolution) ? cuts_of(retention::kind_of(resolution))
                                               : retention::cuts_after(retention::kUnmadeKept),
                     [this, resolution](const store::ExpiryCuts& cuts) -> Result<std::size_t> {
                       if (!cold().chunks().has(resolution)) return 0U;
                       return cold().chunks().expire(resolution, cuts);
                     }});
  }
  if (roller_ != nullptr) {
    rules.push_back(
        {"marks of days",
         [this](TimestampMs now_ms) { return retention::cuts_after(longest_keep())(now_ms); },
         [this](const store::ExpiryCuts& cuts) { return roller_->let_marks_go(cuts.before_ms); }});
  }
  // Later than the chunks, so that no sample is left without its labels. What has no days counts as
  // of now, by the longest: it goes too late rather than too early.
  rules.push_back({"index", [this](TimestampMs now_ms) { return index_cuts(now_ms); },
                   [this](const store::ExpiryCuts& cuts) {
                     return cold().catalog().expire(cuts, earliest_now_ms());
                   }});
  if (store::MetadataStore* metadata = cold().metadata(); metadata != nullptr) {
    rules.push_back(
        {"metadata",
         [this](TimestampMs now_ms) { return index_cuts(now_ms).earlier_by(kNotedAgainMs); },
         [metadata](const store::ExpiryCuts& cuts) { return metadata->expire(cuts); }});
  }
  for (const Signal signal : {Signal::kTraces, Signal::kLogs}) {
    const DataKind kind = signal == Signal::kTraces ? DataKind::kTraces : DataKind::kLogs;
    rules.push_back({std::string(retention::to_string(kind)), cuts_of(kind),
                     [this, signal](const store::ExpiryCuts& cuts) {
                       return cold().events().expire(signal, cuts);
                     }});
  }
  return rules;
}

void Service::use_times() {
  using retention::DataKind;
  instance_->use_record_times(times_);
  instance_->use_oldest(Signal::kTraces, [this](const CustomerId& customer) {
    return oldest_ms(customer, DataKind::kTraces);
  });
  instance_->use_oldest(Signal::kLogs, [this](const CustomerId& customer) {
    return oldest_ms(customer, DataKind::kLogs);
  });
}

TimestampMs Service::oldest_ms(const CustomerId& customer, retention::DataKind kind) const {
  return oldest_taken_ms(earliest_now_ms(), classes_->keep_of(customer, kind));
}

// What is older is not read any more, by the time that expiry goes by: it may lie there for up to a
// day, until its whole day goes.
TimestampMs Service::kept_from_ms(Duration keep) const {
  if (keep == Duration(0)) return 0;
  const auto kept = std::chrono::duration_cast<std::chrono::milliseconds>(keep);
  return std::max<TimestampMs>(retention_guard_->known_ms(times_.median_ms()) - kept.count(), 0);
}

TimestampMs Service::kept_from_ms(const CustomerId& customer, retention::DataKind kind) const {
  return kept_from_ms(classes_->keep_of(customer, kind));
}

// As long as the metric's labels.
TimestampMs Service::metadata_noted_from_ms(const CustomerId& customer) const {
  return std::max<TimestampMs>(kept_from_ms(longest_keep_of(customer)) - kNotedAgainMs, 0);
}

// 0 where no records have come yet: the clock alone is not believed.
TimestampMs Service::earliest_now_ms() const {
  return std::min(clock_.wall_ms(), times_.median_ms());
}

// Whose times nobody judged at the door: a day that is far ahead would stay for good.
api::WriteTimes Service::write_times() const {
  api::WriteTimes times;
  const TimestampMs now_ms = earliest_now_ms();  // once a request, not for each customer of it
  if (settings_.late_max != Duration(0)) {
    const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.late_max);
    times.oldest.taken_ms = std::max<TimestampMs>(now_ms - late.count(), 0);
  }
  times.exemplars_ahead_ms = times_.latest_ms(clock_) + store::kDayMs;
  times.kept_of = [this, now_ms](const CustomerId& customer) {
    return oldest_taken_ms(now_ms, classes_->keep_of(customer, retention::DataKind::kRaw));
  };
  return times;
}

void Service::add_class_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    using service::MetricType;
    const retention::KeepStats stats = classes_->stats();
    if (retention_ != nullptr) {
      emit(
          "vigia_storage_expiry_sweeps_total",
          "Looks for what is past its retention that have ended, also those at which nothing could "
          "go.",
          MetricType::kCounter, {}, static_cast<double>(retention_->sweeps()));
    }
    const auto gauge = [&](std::string_view name, std::string_view help, std::size_t value) {
      emit(name, help, MetricType::kGauge, {}, static_cast<double>(value));
    };
    for (const auto& [name, keeps] : settings_.classes.classes) {
      const auto found = stats.customers.find(name);
      emit("vigia_storage_retention_customers", "Customers of the file, by their class.",
           MetricType::kGauge, {{"class", name}},
           found == stats.customers.end() ? 0.0 : static_cast<double>(found->second));
      for (const retention::DataKind kind : retention::kKinds) {
        emit("vigia_storage_retention_seconds", "How long a class keeps what; 0: for ever.",
             MetricType::kGauge,
             {{"class", name}, {"what", std::string(retention::to_string(kind))}},
             std::chrono::duration<double>(keeps[kind]).count());
      }
    }
    gauge("vigia_storage_retention_unknown_customers",
          "Customers of the file whose class is none: kept as those who have none.", stats.unknown);
    gauge("vigia_storage_retention_left_out", "Entries of the file that cannot be read.",
          stats.left_out);
    gauge("vigia_storage_retention_held_customers",
          "Customers who are to be kept shorter and are not yet: the log says until when.",
          stats.held);
    emit("vigia_storage_retention_file_failures_total",
         "Looks at the file of customers' classes that failed: what it said last counts.",
         MetricType::kCounter, {}, static_cast<double>(stats.file_failures));
    emit("vigia_storage_retention_state_failures_total",
         "Times that what counts of customers' retention could not be noted on disk: nothing "
         "expires until it is.",
         MetricType::kCounter, {}, static_cast<double>(stats.state_failures));
  });
}

// By what a reader knows that what it asks for has expired, and whether what it has kept still
// holds. On an event loop: it reads no row.
net::Response Service::kept_answer(const CustomerId& customer) {
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.body =
      R"({"status":"success","data":{"made":)" + std::to_string(identity_ ? identity_->made_ms : 0);
  for (const Resolution resolution :
       {Resolution::kRaw, Resolution::kFiveMinutes, Resolution::kHour, Resolution::kDay}) {
    // What is not stored is made of samples.
    const bool is_kept = resolution == Resolution::kRaw || makes_rollups(resolution);
    const TimestampMs from_ms =
        samples_kept_from_ms(customer, is_kept ? resolution : Resolution::kRaw);
    response.body += fmt::format(R"(,"{}":{})", to_string(resolution), from_ms);
  }
  response.body += past_json(customer) + "}}";
  return response;
}

// Nothing where this process cannot tell: others may write the store, or answers lack rows that
// may come back.
std::string Service::past_json(const CustomerId& customer) {
  if (open_rows_ != nullptr) return {};
  const store::DamageStats damage = instance_->damage();
  if (damage.unsaved_files > 0 || instance_->lacks_rows_of(customer.text()) ||
      lacks_chunks_of(customer.text())) {
    return {};
  }
  const auto told = past_writes_.tell(std::max<TimestampMs>(earliest_now_ms() - kPastMs, 0),
                                      [&](customers::CustomerNumber number) {
                                        return instance_->numbers().id_of(number) == customer;
                                      });
  return fmt::format(R"(,"past":{},"state":"{:016x}.{}.{}.{}.{}")", told.edge_ms, process_,
                     told.writes, damage.mark, damage.repairs, heads_->chunks_set_aside());
}

}  // namespace vigia::storage
