// OpenRows on Cassandra: tables head_rows, head_slots and instances.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"
#include "services/storage/store/open_rows.hpp"

namespace vigia::storage::store::cassandra {

struct OpenRowSettings {
  std::string keyspace;
  std::uint64_t number = 0;  ///< as InstanceLease's
  std::uint64_t writer = 0;  ///< another at each start: two starts never replace each other's rows
  Duration lease = std::chrono::seconds(60);
  std::function<void()> at_each_sign = [] {};  ///< on the thread that gives them; some seconds
};

/// As OpenRows. A thread of its own gives the signs of life, from `open` on, and forgets slots.
class CassandraOpenRows final : public OpenRows {
  struct Key {};  // only open makes one

 public:
  /// Session and clock must outlive it.
  static Result<std::unique_ptr<CassandraOpenRows>> open(vigia::cassandra::Session& session,
                                                         const OpenRowSettings& settings,
                                                         const Clock& clock);
  CassandraOpenRows(Key key, vigia::cassandra::Session& session, const OpenRowSettings& settings,
                    const Clock& clock);
  CassandraOpenRows(const CassandraOpenRows&) = delete;
  CassandraOpenRows& operator=(const CassandraOpenRows&) = delete;
  ~CassandraOpenRows() override;

  Result<void> replayed(OpenSlot newest, bool is_whole) override;
  void keep(OpenSlot slot, std::vector<OpenRow> rows, Done done) override;
  void release(OpenSlot before) override { release_before_ = before; }
  Result<void> take_over(const Take& take) override;
  Duration look_interval() const override { return lease_.length() / 6; }
  OpenRowStats stats() const override;
  /// Under which the others know this instance; nothing while its lease is not held.
  std::optional<std::uint64_t> number() const {
    const auto term = lease_.term();
    return term ? std::optional(term->number) : std::nullopt;
  }

 private:
  struct Keeping;
  Result<void> prepare(const std::string& keyspace);
  void run();
  void give_sign();
  void forget_released();
  std::int64_t next_arrival();
  std::vector<std::string> to_note(const LeaseTerm& term, OpenSlot slot,
                                   const std::vector<OpenRow>& rows);
  void note_done(const Keeping& keeping);
  Result<std::vector<std::string>> customers();
  Result<OpenSlot> newest_slot(std::uint64_t number);
  /// What is to be taken, of one customer.
  struct Owed {
    CustomerId customer;
    std::vector<std::int32_t> slots;  ///< the oldest last
  };
  /// Of whom, and what it is taken by.
  struct Taking {
    std::uint64_t number;
    LeaseTerm term;  ///< of this instance when it began
    const Take& take;
  };
  Result<void> take_instance(const Taking& taking);
  Result<std::optional<Owed>> owed(std::uint64_t number, const std::string& customer);
  Result<void> take_slot(const Taking& taking, const CustomerId& customer, std::int32_t slot);
  Result<void> take_rows(const Taking& taking, const CustomerId& customer, std::int32_t slot);

  vigia::cassandra::Session& session_;
  const Clock& clock_;
  const std::int64_t writer_;
  InstanceLease lease_;
  const std::function<void()> at_each_sign_;
  Statement write_;
  Statement note_;
  Statement read_;
  Statement read_slots_;
  Statement read_newest_;
  Statement read_customers_;
  Statement forget_slot_;
  Statement forget_before_;
  std::atomic<std::int64_t> arrival_{0};
  std::atomic<OpenSlot> release_before_{0};
  std::atomic<std::uint64_t> kept_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> taken_over_{0};

  std::mutex noted_mutex_;  // guards the two below
  LeaseTerm noted_term_;
  /// Of that term the slots that are noted, by customer.
  std::map<std::string, std::set<OpenSlot>, std::less<>> noted_;
  // Of the thread that gives signs.
  OpenSlot first_slot_ = 0;  // below it there are only slots of before the start
  bool is_before_forgotten_ = false;

  std::mutex stop_mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  std::size_t keeping_ = 0;
  std::thread signs_;
};

}  // namespace vigia::storage::store::cassandra
