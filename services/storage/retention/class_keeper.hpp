// How long each customer's data are kept, and nothing is kept shorter by mistake.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/retention/classes.hpp"
#include "services/storage/retention/keeps_file.hpp"
#include "services/storage/store/expiry_cuts.hpp"

namespace vigia::storage::retention {

struct KeepStats {
  std::map<std::string, std::size_t> customers;  ///< by class, of the file
  std::size_t unknown = 0;           ///< of the file, whose class is none: kept as all are
  std::size_t left_out = 0;          ///< entries of the file that cannot be read
  std::size_t held = 0;              ///< customers who are to be kept shorter and are not yet
  std::uint64_t file_failures = 0;   ///< looks at the file that failed: the last content counts
  std::uint64_t state_failures = 0;  ///< what counts could not be noted: nothing expires meanwhile
};

/// The clock that a file's times are of ticks more often.
inline constexpr Duration kTickMax = std::chrono::seconds(2);

/// Two that are the same, a tick apart, are of the same content.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

/// A customer is kept as his class says, who has none as `retention:` says. To be kept longer
/// counts at once. To be kept shorter is announced and counts after an hour of steady time in which
/// the file has said so, or when a person confirms it; while the file cannot be read the hour does
/// not begin. Where the file only says nothing any more of a customer, or names a class that is
/// none, a person alone decides, since a file may be cut short. What counted last is kept on disk,
/// over restarts. `retention:` itself counts at once for those without a class. While something
/// expires by cuts that were taken before, nothing that was decided meanwhile counts: what a
/// customer gets back for being kept longer would go with them. Thread contract: any
/// thread; what is asked for each request waits for no disk.
class ClassKeeper {
 public:
  /// `clock` must outlive it.
  ClassKeeper(ClassSettings settings, Keeps all, std::string state_file, const Clock& clock);
  ClassKeeper(const ClassKeeper&) = delete;
  ClassKeeper& operator=(const ClassKeeper&) = delete;
  ~ClassKeeper();

  /// Reads what counted last, and the file: its errors where one cannot be read. Where what counted
  /// is damaged, it is set aside, all of the file and of `known` are taken to have been kept as
  /// long as any class says, and as long as the damaged one lies there a person alone decides.
  /// Forgets those whom neither the file nor `known` names.
  Result<void> open(std::span<const CustomerId> known);
  /// A thread that looks at the file each second.
  void start();
  /// Once, on the caller's thread.
  void look();

  Duration keep_of(const CustomerId& customer, DataKind kind) const;
  /// Of whoever keeps longest: what is older is nobody's.
  Duration longest(DataKind kind) const;
  /// Of all customers, classes and kinds but "for ever"; a year where there is none.
  Duration shortest() const;
  /// Of all customers and classes but "for ever"; 0 where all are kept for ever.
  Duration shortest(DataKind kind) const;
  /// Of those who are kept otherwise than `retention:` says.
  std::map<CustomerId, Duration> own(DataKind kind) const;
  /// Before what time each customer's data go; 0 for those who keep for ever. `more` is kept
  /// beyond.
  store::ExpiryCuts cuts(DataKind kind, TimestampMs now_ms) const;

  /// A person says that this customer is to be kept shorter, as it was announced. False where
  /// nothing was.
  bool confirm(const CustomerId& customer);
  KeepStats stats() const;

  /// Before cuts are taken, and when all has gone that goes by them: what is decided in between
  /// counts at the end. False: nothing may go now, since what counts is not on disk; there is no
  /// end.
  bool begin_sweep();
  void end_sweep();
  /// How often others have begun to count, since the start.
  std::uint64_t changes() const { return changes_; }

 private:
  struct Held {
    Keeps wanted;
    TimePoint since;
    bool is_by_person = false;  ///< no time decides it
    bool is_confirmed = false;
  };
  struct Wanted {
    Keeps keeps;
    bool has_class = false;
  };
  void run();
  Result<void> read_file();
  Result<void> take_text(const std::string& text);
  void decide();
  Wanted wanted_of(const CustomerId& customer) const;
  void decide_on(const CustomerId& customer);
  bool is_due(const CustomerId& customer, const Wanted& wanted, const Keeps& own);
  void keep_state();
  void take_longest(std::span<const CustomerId> known);
  bool is_in_doubt() const;
  void publish();
  std::shared_ptr<const CustomerKeeps> let_next_count();
  std::shared_ptr<const CustomerKeeps> counting() const;

  const ClassSettings settings_;
  const Keeps all_;
  const std::string state_file_;
  const Clock& clock_;

  std::mutex work_mutex_;  // over reading, deciding and storing; taken before mutex_
  CustomerClasses named_;
  std::optional<std::string> text_;  // of the file, as it was read last
  std::optional<FileStamp> stamp_;   // of the file as it was looked at last
  TimePoint stamped_{};              // when it was first seen so
  TimePoint read_{};                 // when it was read last
  Result<void> last_read_;           // what came of text_
  KeepStats stats_;
  CustomerKeeps own_;  // as decided
  std::map<CustomerId, Held> held_;
  bool is_changed_ = true;   // own_ since it was published
  bool is_unkept_ = false;   // own_ differs from what is on disk
  bool is_doubted_ = false;  // own_ is a guess
  bool is_store_failing_ = false;
  std::string complaint_;

  mutable std::mutex mutex_;  // over all that follows
  KeepStats shown_;
  std::shared_ptr<const CustomerKeeps> counting_ = std::make_shared<const CustomerKeeps>();
  std::shared_ptr<const CustomerKeeps> next_;  // counts when nothing expires any more; null: none
  int sweeps_ = 0;
  std::atomic<std::uint64_t> changes_{0};
  bool is_noted_ = true;  // what counts, or will, is on disk
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::retention
