// What becomes of what an exporter sends, in the books, the dead letters and the marks.
#include <algorithm>

#include "libs/service/log.hpp"
#include "services/collector/exporters/push_exporter.hpp"

namespace vigia::collector::exporters {
namespace {

constexpr auto kStateInterval = std::chrono::minutes(1);
constexpr auto kWarningInterval = std::chrono::minutes(1);

std::uint64_t count_items(const delivery::Parcel& parcel, std::size_t first, std::size_t last) {
  std::uint64_t items = 0;
  for (std::size_t i = first; i < last; ++i) items += parcel.units[i].items;
  return items;
}

}  // namespace

void PushExporter::on_refused(const delivery::Parcel& parcel, std::size_t unit,
                              const std::string& why) {
  const delivery::Unit& refused = parcel.units[unit];
  WindowRecord& record = (*window_in_hand_)[refused.record];
  // Several series may come from one point, which is refused once.
  if (!parcel.is_value(refused))
    record.dropped += refused.items;
  else if (refused.item != delivery::Unit::kNoItem)
    record.dropped += record.settled_items.insert(refused.item).second ? 1 : 0;
  on_side_letter(parcel, parcel.run(unit, unit + 1), why, false);
}

void PushExporter::on_rejected(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                               std::uint64_t count, const std::string& why) {
  // The destination names a number, not the items: they are one customer's and one signal's, so it
  // does not matter for the books in which of these records they stood.
  for (std::size_t i = first; i < last && count > 0; ++i) {
    WindowRecord& record = (*window_in_hand_)[parcel.units[i].record];
    const std::uint64_t settled = record.dropped + record.apart;
    const std::uint64_t room = record.accepted - std::min<std::uint64_t>(settled, record.accepted);
    const std::uint64_t taken = std::min(count, room);
    record.dropped += taken;
    count -= taken;
  }
  on_side_letter(parcel, {}, why, false);
}

void PushExporter::on_set_aside(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                                delivery::Aside aside, const std::string& /*why*/) {
  Apart& apart = apart_for((*window_in_hand_)[parcel.units[first].record]);
  const std::size_t before = apart.parcel.units.size();
  apart.parcel.append(parcel, first, last);
  for (std::size_t i = before; i < apart.parcel.units.size(); ++i) {
    delivery::Unit& unit = apart.parcel.units[i];
    const disk_log::RecordHeader& header = (*window_in_hand_)[unit.record].header;
    apart.received_ms = std::min(apart.received_ms, header.received_ms);
    WindowRecord& record = (*window_in_hand_)[unit.record];
    // An item waits where the first of its units does.
    if (parcel.is_value(unit) && unit.item != delivery::Unit::kNoItem)
      unit.items = record.settled_items.insert(unit.item).second ? 1 : 0;
    record.apart += unit.items;
    record.is_apart = true;  // 0 items too: its point waits elsewhere, or has been refused
  }
  if (aside == delivery::Aside::kSlow)
    lane_->mark_slow(parcel.customer);
  else
    lane_->mark_troubled(parcel.customer, parcel.signal);
}

std::optional<delivery::Parcel> PushExporter::split(const delivery::Parcel& parcel,
                                                    std::size_t unit) {
  return means_.packer->split(parcel, unit);
}

std::string_view PushExporter::kind_of(const delivery::Parcel& parcel, std::size_t unit) {
  return means_.packer->kind_of(parcel.run(unit, unit + 1));
}

void PushExporter::on_answer(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                             const delivery::Answer& answer, Duration took) {
  if (answer.retry_after) {
    const Duration wait = std::min<Duration>(*answer.retry_after, side::SideLane::kAskedWaitMax);
    TimePoint& until = asked_until_[{parcel.customer.text(), parcel.signal}];
    until = std::max(until, parts_.clock.steady() + wait);
  }
  // A refusal is told sooner than it is stored, and no answer says how far it is.
  if (answer.kind == delivery::Answer::Kind::kTaken) answer_time_.note(took);
  on_side_answer(parcel, first, last, answer, took);
}

void PushExporter::on_side_sent(const CustomerId& customer, Signal signal, std::uint64_t items) {
  parts_.books.sent(customer, signal, settings_.id, items);
}

void PushExporter::on_side_dropped(const CustomerId& customer, Signal signal,
                                   books::DropCause cause, std::uint64_t items) {
  if (means_.marks) {
    marks::Losses losses;
    (cause == books::DropCause::kRefused ? losses.refused : losses.gone).insert(customer);
    means_.marks->note_losses(losses);
  }
  parts_.books.dropped(customer, signal, settings_.id, cause, items);
}

void PushExporter::on_side_letter(const delivery::Parcel& parcel, std::string_view message,
                                  const std::string& why, bool is_record) {
  std::string content = "an OTLP request as it was acknowledged";
  {
    const std::lock_guard lock(mutex_);
    if (letters_ >= kLettersMax) {
      ++letters_;
      return;
    }
  }
  if (message.empty())
    content = "a part of a request, which the destination did not name";
  else if (!is_record)
    content = means_.packer->describe(message);
  set_aside({.customer = parcel.customer,
             .signal = parcel.signal,
             .time_ms = parts_.clock.wall_ms(),
             .why = why,
             .content = content,
             .message = message});
}

void PushExporter::on_side_answer(const delivery::Parcel& parcel, std::size_t first,
                                  std::size_t last, const delivery::Answer& answer, Duration took) {
  note_state(answer);
  if (answer.date_ms) note_date(*answer.date_ms);
  reader_.note_request(took);
  const bool is_refused = answer.kind == delivery::Answer::Kind::kRefused;
  const std::uint64_t lines = std::max<std::uint64_t>(answer.lines, is_refused ? 1 : 0);
  if (lines > 0) note_refusal(parcel, first, last, lines);
  if (answer.kind == delivery::Answer::Kind::kTaken) {
    reader_.note_batch({count_items(parcel, first, last), parcel.run(first, last).size(),
                        last < parcel.units.size()});
    note_warning(answer);
    return;
  }
  parts_.books.send_failed(parcel.signal, settings_.id, count_items(parcel, first, last));
}

/// OTLP, "Partial Success": none refused, and a text. Nothing is lost, and somebody should read it.
void PushExporter::note_warning(const delivery::Answer& answer) {
  if (answer.rejected > 0 || answer.why.empty()) return;
  warnings_.add();
  const TimePoint now = parts_.clock.steady();
  {
    const std::lock_guard lock(mutex_);
    if (warning_told_ && now < *warning_told_ + kWarningInterval) return;
    warning_told_ = now;
  }
  service::log_warn("the destination has taken all, and warns",
                    {{"exporter", settings_.id}, {"why", answer.why}});
}

/// Of the moment at which it was answered, near enough for an alarm of ten seconds. By the wall
/// clock itself: that it is wrong is what is to be seen.
void PushExporter::note_date(std::int64_t date_ms) {
  const std::int64_t ahead_ms = parts_.clock.wall_ms() - date_ms;
  // A Date has no fractions: 0 to 999 ms of the difference are its own.
  constexpr std::int64_t kFractionMs = 999;
  const std::int64_t least_ms =
      ahead_ms > 0 ? std::max<std::int64_t>(ahead_ms - kFractionMs, 0) : ahead_ms;
  parts_.metrics
      .gauge("vigia_exporter_clock_ahead_seconds",
             "By how much the collector's clock is ahead of the destination's",
             {{"exporter", settings_.id}})
      .set(static_cast<double>(least_ms) / 1e3);
}

std::optional<Exporter::Failing> PushExporter::failing() {
  const std::lock_guard lock(mutex_);
  return failing_;
}

void PushExporter::note_refusal(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                                std::uint64_t lines) {
  if (!refusals_->charge(parcel, first, last, lines)) return;
  service::log_warn(
      "the destination refuses so much of a customer's data that its search waits; nobody else's "
      "does, and nothing is lost",
      {{"exporter", settings_.id}, {"customer_id", parcel.customer.text()}});
}

bool PushExporter::may_be_refused(const CustomerId& customer) {
  return !refusals_->is_spent(customer);
}

/// One line when the destination begins to fail, one when it is well again; not more often than
/// that where some fail and others do not.
void PushExporter::note_state(const delivery::Answer& answer) {
  if (answer.kind == delivery::Answer::Kind::kRefused) {
    // It has judged: whose data it was is another matter.
    const std::lock_guard lock(mutex_);
    failing_.reset();
    return;
  }
  const bool is_failing = answer.kind != delivery::Answer::Kind::kTaken;
  const std::lock_guard lock(mutex_);
  const TimePoint now = parts_.clock.steady();
  if (!is_failing)
    failing_.reset();
  else if (failing_)
    failing_->why = answer.why;
  else
    failing_ = Failing{now, answer.why};
  if (is_failing == is_failing_ || (state_told_ && now < *state_told_ + kStateInterval)) return;
  is_failing_ = is_failing;
  state_told_ = now;
  if (is_failing)
    service::log_warn("the destination does not take some data at present; it waits on disk",
                      {{"exporter", settings_.id}, {"why", answer.why}});
  else
    service::log_info("the destination takes data again", {{"exporter", settings_.id}});
}

}  // namespace vigia::collector::exporters
