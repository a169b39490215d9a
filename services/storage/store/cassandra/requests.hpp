// Many requests at once, and the words of a statement that all of this store's share.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/cassandra/session.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store::cassandra {

/// For a request of which somebody waits for the answer.
inline constexpr Duration kRequestDeadline = std::chrono::seconds(10);

using Statement = std::unique_ptr<vigia::cassandra::PreparedStatement>;

/// Prepares the statements of a part of the store; after the first failure it prepares no more, so
/// that whoever prepares many asks once at the end. Thread contract: one thread.
class Preparation {
 public:
  Preparation(vigia::cassandra::Session& session, std::string keyspace)
      : session_(session), keyspace_(std::move(keyspace)) {}
  /// `cql` has {} in the place of the keyspace; sent again where a node has gone. A page has so
  /// many rows. What reads, and what writes USING TIMESTAMP, is the same whenever a node does it: a
  /// second one is asked where the first does not answer.
  Statement prepare(std::string_view cql, std::uint32_t page_rows = kPageRows);
  /// Writes a row that is never written otherwise, nor deleted before nobody needs it: the same
  /// whenever a node does it. Of others a node that hung could bring back what has been replaced.
  Statement prepare_row(std::string_view cql);
  /// A light-weight transaction, which may not be sent twice.
  Statement prepare_once(std::string_view cql);
  Result<void> outcome() const;

 private:
  static constexpr std::uint32_t kPageRows = 1000;
  enum class Repeated : std::uint8_t { kNever, kIfGone, kAtAnyTime };
  Statement prepare(std::string_view cql, std::uint32_t page_rows, Repeated repeated);

  vigia::cassandra::Session& session_;
  const std::string keyspace_;
  Result<void> outcome_;
};

/// Requests on behalf of a customer, under way together; the session bounds how many. Each is
/// waited for before it ends. Once one had no answer in its time the further ones fail as it did,
/// and are not sent: else a cluster that hangs would cost each of them its own wait. Thread
/// contract: one thread.
class Requests {
 public:
  /// Both must outlive it. `owner`: as Execution's.
  Requests(vigia::cassandra::Session& session, std::string_view owner)
      : session_(session), owner_(owner) {}
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  ~Requests() { (void)wait(); }

  /// Sends one, and waits where too many are under way. The values may go when it returns.
  void add(const vigia::cassandra::PreparedStatement& statement,
           const vigia::cassandra::BoundCells& cells);
  /// The answers of all that were added since the last time, in their order.
  std::vector<Result<vigia::cassandra::Page>> wait();
  /// Of those that give no rows: the first error.
  Result<void> wait_for_all();

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable came;
    std::size_t left = 0;
    std::optional<Error> silence;  ///< of the first that had no answer
  };
  std::optional<Error> silence() const;

  vigia::cassandra::Session& session_;
  std::string_view owner_;
  // Shared with the driver's thread, which may still be telling when `wait` returns.
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::vector<std::shared_ptr<Result<vigia::cassandra::Page>>> answers_;
};

/// The error as the contract of stores has it: no answer in time is kUnavailable, since the same
/// again later is right (every statement may be run twice) and the limit of a search is another's.
Error store_error(Error error);

/// One page of one request, waited for; `paging_state`: as Execution's.
Result<vigia::cassandra::Page> ask(vigia::cassandra::Session& session,
                                   const vigia::cassandra::PreparedStatement& statement,
                                   const vigia::cassandra::BoundCells& cells,
                                   std::string_view owner, std::string_view paging_state = {});

/// The same where somebody waits: gives the limit's error as soon as that is over.
Result<vigia::cassandra::Page> ask_within(const WorkLimit& limit,
                                          vigia::cassandra::Session& session,
                                          const vigia::cassandra::Execution& request);

/// The rows of a statement, one after the other and page by page, each page with kRequestDeadline.
/// Thread contract: one thread.
class Rows {
 public:
  /// All, and what the cells point at, must outlive it. `limit`: as ask_within's; null: none.
  Rows(vigia::cassandra::Session& session, const vigia::cassandra::PreparedStatement& statement,
       vigia::cassandra::BoundCells cells, std::string_view owner, const WorkLimit* limit = nullptr)
      : session_(session),
        statement_(statement),
        cells_(std::move(cells)),
        owner_(owner),
        limit_(limit) {}

  /// Nothing at the end. A row stays until the next one.
  Result<std::optional<vigia::cassandra::RowReader>> next();

 private:
  vigia::cassandra::Session& session_;
  const vigia::cassandra::PreparedStatement& statement_;
  const vigia::cassandra::BoundCells cells_;
  const std::string_view owner_;
  const WorkLimit* const limit_;
  vigia::cassandra::Page page_;
  std::size_t row_ = 0;
  bool is_begun_ = false;
};

/// The error for a row that is not what its table holds. `table`: its name.
tl::unexpected<Error> malformed_row(std::string_view table);

}  // namespace vigia::storage::store::cassandra
