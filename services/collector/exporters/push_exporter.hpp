// Exporters that send: remote write to hot and cold, OTLP to cold or elsewhere.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/collector/exporters/dead_letters.hpp"
#include "services/collector/exporters/delivery.hpp"
#include "services/collector/exporters/heartbeat.hpp"
#include "services/collector/exporters/log_exporter.hpp"
#include "services/collector/exporters/parcel.hpp"

namespace vigia::collector {

/// How bodies become parcels. Runs on the exporter's thread.
class Packer {
 public:
  virtual ~Packer() = default;
  /// Appends what is to be sent of the body to the parcel. An error is damage, or a fault of ours,
  /// since intake took it: the body is set aside, and the rest goes on.
  virtual Result<void> pack(std::uint32_t record, const WindowRecord& header,
                            const std::string& body, Parcel& parcel) = 0;
  /// A unit as text, for its dead letter.
  virtual std::string describe(std::string_view unit) const = 0;
};

/// Metrics as remote-write series, translated by `series`' rules.
std::unique_ptr<Packer> make_series_packer(const ExporterSettings& settings,
                                           wire::prometheus::SeriesCache& series);
/// Bodies as they are, without what was refused.
std::unique_ptr<Packer> make_body_packer();

class PushExporter final : public LogExporter, private DeliveryObserver {
 public:
  /// Dead letters of one window that are written down; more are only counted.
  static constexpr std::size_t kLettersMax = 100;

  PushExporter(const ExporterSettings& settings, const ExporterParts& parts,
               std::unique_ptr<Transport> transport, std::unique_ptr<Packer> packer);
  ~PushExporter() override;

 protected:
  void add(std::uint32_t index, WindowRecord& record, const std::string& body) override;
  bool deliver(std::vector<WindowRecord>& window) override;
  void on_progress(std::int64_t complete_until_ms, std::uint64_t lost) override;
  void wake(TimePoint deadline) override;

 private:
  void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) override;
  void on_rejected(const Parcel& parcel, std::size_t first, std::size_t last, std::uint64_t count,
                   const std::string& why) override;
  void on_answer(const Parcel& parcel, std::size_t first, std::size_t last, const Answer& answer,
                 Duration took) override;
  bool go_on() override;
  void set_aside(const DeadLetter& letter);
  void note_state(const Answer& answer);
  void keep_room();

  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Packer> packer_;
  DeadLetters dead_letters_;
  Delivery delivery_;
  Routing routing_;
  std::unique_ptr<Heartbeat> heartbeat_;  // remote write only; beats where this is a hot shard
  std::map<std::pair<std::string, Signal>, std::size_t> parcel_of_;
  std::vector<Parcel> parcels_;
  std::string spare_message_;  // room of a parcel that is done, for the next one
  std::vector<Unit> spare_units_;
  std::vector<WindowRecord>* window_in_hand_ = nullptr;
  std::size_t letters_ = 0;  // of the window in hand, written or not
  bool is_failing_ = false;
};

}  // namespace vigia::collector
