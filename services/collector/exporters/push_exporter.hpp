// Exporters that send: remote write to hot and cold, OTLP to cold or elsewhere.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/collector/delivery/dead_letters.hpp"
#include "services/collector/delivery/packer.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/delivery/parcel_delivery.hpp"
#include "services/collector/delivery/refusal_budget.hpp"
#include "services/collector/delivery/shards.hpp"
#include "services/collector/exporters/log_reader.hpp"
#include "services/collector/exporters/push_settings.hpp"
#include "services/collector/marks/marks.hpp"
#include "services/collector/side/side_lane.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::exporters {

/// What a kind sends, and how.
struct Means {
  std::unique_ptr<delivery::MessageTransport> transport;
  std::unique_ptr<delivery::Packer> packer;
  delivery::Probe probe;  ///< what it asks with whether the destination takes anything
  /// Refers to `transport`. Null: the destination is told nothing of its holes.
  std::unique_ptr<marks::Marks> marks = nullptr;
};

/// Two lanes. The front lane is the log's way: windows of records, a parcel a customer, and no
/// customer may hold the others up. What one would do that with is written to the side queue, and
/// the cursor goes on; the side lane brings it to an end. Windows and parcels are bounded by what
/// comes out of the records, not by what went in.
class PushExporter final : public Exporter,
                           private WindowTaker,
                           private delivery::DeliveryObserver,
                           private side::SideLaneOwner {
 public:
  /// Dead letters of one window, and of what is set aside in as much time, that are written down;
  /// more are only counted.
  static constexpr std::size_t kLettersMax = 100;
  /// Parcels of a window, all customers, encoded.
  static constexpr std::size_t kWindowOutputMax = 8U << 20U;
  /// What of one record goes the front way; the rest of it goes aside.
  static constexpr std::size_t kRecordOutputMax = 4U << 20U;

  PushExporter(const ExporterSettings& settings, const PushSettings& push,
               const ExporterParts& parts, Means means);
  ~PushExporter() override;
  /// kUnavailable where the side queue's folder cannot be read.
  Result<void> start() override;
  void stop(TimePoint deadline) noexcept override;
  std::optional<Failing> failing() override;

 private:
  void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) override;
  bool add_unopened(WindowRecord& record, bodies::LogBody& body) override;
  void give_up(WindowRecord& record, std::string_view body) override;
  bool is_full() const override;
  bool deliver(std::vector<WindowRecord>& window) override;
  bool holds_cursor() const override { return held_.has_value(); }
  bool reads_on() override;
  void on_progress(std::int64_t complete_until_ms, std::uint64_t lost) override;
  void wake(TimePoint deadline) override;
  void end(TimePoint deadline) noexcept override;
  void forget() override;

  using Way = std::pair<std::string, Signal>;  // customer
  struct Apart {  // of one customer and signal, to be written to the side queue
    std::vector<side::SideRecord> records;
    delivery::Parcel parcel;
    std::int64_t received_ms = 0;
    std::uint64_t record_items = 0;
  };
  Duration asked_wait(const Way& way) const;

  delivery::Parcel& parcel_for(const WindowRecord& record);
  void follow(WindowRecord& record, bodies::LogBody&& body, delivery::Place from,
              std::uint64_t items);
  void lose(WindowRecord& record, std::uint64_t items, std::string_view body);
  void damage(WindowRecord& record, std::string_view body, const std::string& why);
  Apart& apart_for(const WindowRecord& record);
  /// What could not be set aside, for want of room say. It stays in the log, and so does the
  /// cursor; what others have behind it is read on and delivered. All is read again at retry_at.
  struct Held {
    std::set<Way> ways;
    TimePoint retry_at{};
  };
  struct Settled {  // what became of a record behind what is held
    std::uint64_t dropped = 0, apart = 0;
    bool is_damaged = false;
  };
  /// Records that are remembered so; from there on nothing is read until retry_at.
  static constexpr std::size_t kSettledMax = 1U << 16U;

  void write_apart(std::vector<WindowRecord>& window);
  void hold(const Way& way, std::vector<WindowRecord>& window, const Error& why);
  void settle(const std::vector<WindowRecord>& window);
  void note_losses(const std::vector<WindowRecord>& window);
  void keep_room();
  void set_aside(const delivery::DeadLetter& letter);
  void note_state(const delivery::Answer& answer);
  void note_warning(const delivery::Answer& answer);
  void note_date(std::int64_t date_ms);
  void show_waiting();

  void on_refused(const delivery::Parcel& parcel, std::size_t unit,
                  const std::string& why) override;
  void on_rejected(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                   std::uint64_t count, const std::string& why) override;
  void on_set_aside(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                    delivery::Aside aside, const std::string& why) override;
  void on_answer(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                 const delivery::Answer& answer, Duration took) override;
  std::optional<delivery::Parcel> split(const delivery::Parcel& parcel, std::size_t unit) override;
  std::string_view kind_of(const delivery::Parcel& parcel, std::size_t unit) override;
  bool others_wait(const std::set<CustomerId>& in_run) override;
  bool go_on() override;
  /// Of either lane.
  bool may_be_refused(const CustomerId& customer) override;
  void note_refusal(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                    std::uint64_t lines);

  void on_side_sent(const CustomerId& customer, Signal signal, std::uint64_t items) override;
  void on_side_dropped(const CustomerId& customer, Signal signal, books::DropCause cause,
                       std::uint64_t items) override;
  void on_side_letter(const delivery::Parcel& parcel, std::string_view message,
                      const std::string& why, bool is_record) override;
  void on_side_answer(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                      const delivery::Answer& answer, Duration took) override;

  const ExporterSettings settings_;
  const ExporterParts parts_;
  const PushSettings push_;
  Means means_;
  std::shared_ptr<delivery::Evidence> evidence_;
  delivery::Prober prober_;
  delivery::ParcelDelivery delivery_;
  /// Of both lanes; shared with the registry's collect function.
  std::shared_ptr<delivery::RefusalBudget> refusals_;
  std::unique_ptr<side::SideQueue> queue_;  // from start on
  std::unique_ptr<side::SideLane> lane_;

  // The window in hand; the exporter's thread.
  std::map<Way, std::size_t> parcel_of_;
  std::vector<delivery::Parcel> parcels_;
  std::map<Way, Apart> apart_;
  std::map<Way, TimePoint> asked_until_;  // the least that the destination's answers ask for
  delivery::AnswerTime answer_time_;
  std::string spare_message_;  // room of a parcel that is done, for the next one
  std::vector<delivery::Unit> spare_units_;
  std::vector<WindowRecord>* window_in_hand_ = nullptr;
  std::optional<Held> held_;
  Duration held_pause_{0};
  std::map<disk_log::LogPosition, Settled> settled_;

  std::mutex mutex_;  // what both lanes use
  delivery::DeadLetters dead_letters_;
  std::size_t letters_ = 0;  // since the last window, written or not
  bool is_failing_ = false;
  std::optional<TimePoint> state_told_;
  std::optional<Failing> failing_;
  std::optional<TimePoint> warning_told_;
  service::Counter& warnings_;
  service::Gauge& oldest_waiting_;
  service::Gauge& side_bytes_;
  service::Gauge& side_items_;
  service::Gauge& side_is_full_;
  struct SideRooms;
  std::shared_ptr<SideRooms> side_rooms_;  // shared with the registry's collect function
  LogReader reader_;                       // the last: its thread uses all of the above
};

}  // namespace vigia::collector::exporters
