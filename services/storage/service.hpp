// vigia-storage: its parts in the order in which they start.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "libs/base/clock.hpp"
#include "libs/base/random.hpp"
#include "libs/disk_log/damage_notice.hpp"
#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "libs/service/command.hpp"
#include "libs/service/frame.hpp"
#include "libs/service/internal_token.hpp"
#include "libs/service/program.hpp"
#include "services/storage/api/event_api.hpp"
#include "services/storage/api/exemplar_api.hpp"
#include "services/storage/api/label_api.hpp"
#include "services/storage/api/metadata_api.hpp"
#include "services/storage/api/otlp_api.hpp"
#include "services/storage/api/read_api.hpp"
#include "services/storage/api/trace_search_api.hpp"
#include "services/storage/api/write_api.hpp"
#include "services/storage/healing/healer.hpp"
#include "services/storage/identity/store_guard.hpp"
#include "services/storage/ingest/take_over.hpp"
#include "services/storage/keep/checkpoints.hpp"
#include "services/storage/lanes/customer_lanes.hpp"
#include "services/storage/lanes/memory_guard.hpp"
#include "services/storage/peers/open_samples_api.hpp"
#include "services/storage/peers/peers.hpp"
#include "services/storage/retention/class_keeper.hpp"
#include "services/storage/retention/class_retention.hpp"
#include "services/storage/retention/retention_sweeper.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/settings.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {

/// Thread contract: start, stop and the destructor from one thread.
class Service final : public service::Running, public net::Handler {
  struct Key {};  // only start makes one

 public:
  /// Listens, opens the store, replays the write-ahead log: once this returns the service is ready.
  /// Until then /health says "starting", or "waiting" where it waits for room on the disk or the
  /// like; all else is answered 503. kUnavailable where the port or the folder is taken. Waits
  /// where the folder is empty and a store was there (identity/store_guard.hpp). The store is of
  /// one of `kinds`.
  static Result<std::unique_ptr<Service>> start(const Settings& settings,
                                                std::span<const StoreKind> kinds = store_kinds());
  Service(Key /*key*/, const Settings& settings) : settings_(settings) {}
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() override;

  void stop(TimePoint deadline) noexcept override;
  /// "127.0.0.1:9096", with the port that was really taken.
  std::string address() const { return frame_.address(); }
  std::string metrics_address() const { return frame_.metrics_address(); }

  std::optional<net::Response> admit(net::RequestHead& head) override;
  bool reads_coding(const net::RequestHead& head, std::string_view coding) const override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

 private:
  Result<void> listen();
  void answer_early(net::Request request, net::Responder responder);
  Result<void> open(const StoreKind& kind);
  Result<void> open_store(const StoreKind& kind);
  Result<void> open_copies();
  Result<void> open_ingester();
  void say_identity(net::Response& response) const;
  void use_times();
  void make_interfaces();
  void make_keepers();
  Result<void> open_classes();
  TimestampMs oldest_ms(const CustomerId& customer, retention::DataKind kind) const;
  TimestampMs kept_from_ms(Duration keep) const;
  TimestampMs kept_from_ms(const CustomerId& customer, retention::DataKind kind) const;
  TimestampMs earliest_now_ms() const;
  TimestampMs metadata_noted_from_ms(const CustomerId& customer) const;
  api::WriteTimes write_times() const;
  void set_short(bool is_short);
  std::vector<retention::RetentionRule> retention_rules();
  Result<void> start_retention();
  Result<void> open_rollup_book();
  void start_rollups();
  Result<std::size_t> expire_raw(const store::ExpiryCuts& cuts);
  bool makes_rollups(Resolution resolution) const;
  Duration longest_keep() const;
  Duration longest_keep_of(const CustomerId& customer) const;
  store::ExpiryCuts index_cuts(TimestampMs now_ms) const;
  TimestampMs samples_kept_from_ms(const CustomerId& customer, Resolution resolution) const;
  net::Response kept_answer(const CustomerId& customer);
  std::string past_json(const CustomerId& customer);
  void add_rollup_metrics();
  void start_healing();
  void add_heal_metrics();
  bool is_ready() const;
  bool lacks_chunks_of(std::string_view customer) const;
  net::Response confirm(const net::Request& request);
  net::Response make_checkpoint(const net::Request& request);
  void add_damage_metrics();
  void add_class_metrics();
  bool is_damage_recent();
  void add_routes();
  void add_metrics();
  void add_log_metrics();
  void add_sharing_metrics();
  void start_peers();
  void add_open_samples();
  void add_peer_metrics();
  void mark_lacking(net::Response& response) const;
  void add_head_metrics();
  void add_store_metrics();
  void add_metadata_metrics();
  store::ColdStore& cold() const { return instance_->store(); }
  using Answer = std::function<net::Response(const net::Request&, const net::PathValues&)>;
  /// Whose turn a request uses.
  using LaneOf = std::function<std::string(const net::Request&)>;
  void add_route(const char* method, const std::string& pattern, lanes::CustomerLanes& lanes,
                 const LaneOf& lane_of, const Answer& answer);
  void add_writes();
  void add_event_writes(Signal signal, api::OtlpApi& intake);
  /// A read: ends with its client, and past its time, which is counted.
  struct Search {
    std::string what;  ///< in the counter
    Duration longest;
    LaneOf lane_of;
    std::function<net::Response(const net::Request&, const net::PathValues&,
                                const store::WorkLimit&)>
        answer;
  };
  void add_search(const char* method, const std::string& pattern, const Search& search);
  void add_read(const std::string& pattern, const Search& search);
  service::Counter& ended_searches(const std::string& what);
  void add_remote_read();
  void add_searches();
  void add_event_searches();

  Settings settings_;
  std::atomic<bool> is_open_{false};  // set once all below is there
  const service::InternalToken internal_token_{settings_.internal_token};
  SystemClock clock_;
  service::MetricRegistry registry_;
  customers::RecordTimes times_;
  customers::PastWrites past_writes_;
  const std::uint64_t process_ = random_u64();  // what was told of another one's past is void
  std::mutex damage_mutex_;                     // guards the two below, once open
  std::unique_ptr<disk_log::DamageNotice> damage_notice_;
  std::uint64_t damage_seen_ = 0;
  std::string directory_;                                       // of this instance
  std::unique_ptr<retention::ClassKeeper> classes_;             // the instance asks it
  std::unique_ptr<retention::ClassRetention> class_retention_;  // as that
  std::unique_ptr<instance::StoreInstance> instance_;
  std::optional<disk_log::StoreIdentity> identity_;  // as of the start
  std::unique_ptr<quarantine::ChunkQuarantine> quarantine_;
  std::unique_ptr<heads::StoredSeries> stored_series_;
  store::OpenRows* open_rows_ = nullptr;  // the instance's; null: nobody shares the store
  std::unique_ptr<heads::HeadSet> heads_;
  std::unique_ptr<ingest::OpenCopies> open_copies_;    // null: nobody shares the store
  std::unique_ptr<ingest::ExemplarKeeper> exemplars_;  // null: none are kept
  std::unique_ptr<ingest::MetadataKeeper> metadata_;   // as that
  std::unique_ptr<ingest::Ingester> ingester_;
  std::unique_ptr<read::SeriesReader> reader_;
  std::unique_ptr<lanes::CustomerShares> answers_;
  std::unique_ptr<peers::OpenSamplesApi> open_samples_;  // as open_rows_
  std::unique_ptr<peers::Peers> peers_;                  // as open_rows_
  std::unique_ptr<read::RemoteRead> remote_read_;
  std::unique_ptr<api::WriteBooks> books_;
  std::unique_ptr<api::WriteApi> write_api_;
  std::unique_ptr<api::ReadApi> read_api_;
  api::AnswerGaps gaps_;
  std::unique_ptr<api::LabelApi> label_api_;
  std::unique_ptr<api::ExemplarApi> exemplar_api_;
  std::unique_ptr<api::MetadataApi> metadata_api_;
  std::unique_ptr<api::OtlpApi> trace_intake_;
  std::unique_ptr<api::OtlpApi> log_intake_;
  std::unique_ptr<api::EventApi> event_api_;
  std::unique_ptr<api::TraceSearchApi> trace_search_;
  std::unique_ptr<retention::RetentionGuard> retention_guard_;
  std::unique_ptr<rolling::RollupBook> rollup_book_;  // null: none are made
  std::unique_ptr<rolling::Roller> roller_;           // as the book
  std::unique_ptr<retention::RetentionSweeper> retention_;
  std::unique_ptr<ingest::TakeOver> take_over_;  // as open_rows_
  std::unique_ptr<healing::Healer> healer_;      // null: off
  std::unique_ptr<keep::Checkpoints> checkpoints_;
  net::Routes routes_;
  // None of them waits for another: remote write not for spans and log records, neither for reads,
  // and nobody who is asked by another instance.
  std::unique_ptr<lanes::CustomerLanes> sample_writers_;
  std::unique_ptr<lanes::CustomerLanes> event_writers_;
  std::unique_ptr<lanes::CustomerLanes> readers_;
  std::unique_ptr<lanes::CustomerLanes> peer_readers_;  // as open_rows_
  std::unique_ptr<lanes::MemoryGuard> guard_;           // cuts the shares of all that stands above
  service::ServiceFrame frame_{registry_};
};

/// Service::start, for whoever runs any service.
Result<std::unique_ptr<service::Running>> start(Settings settings);

/// For service::run_program.
service::ProgramDescription describe_program();
/// What the program does beside the service, for service::run_command.
std::span<const service::ProgramCommand> commands();

}  // namespace vigia::storage
