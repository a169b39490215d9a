// The driver behind a session: the real one speaks to a cluster, a double in tests does not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/cassandra/cells.hpp"
#include "libs/cassandra/connection_settings.hpp"
#include "libs/cassandra/page.hpp"

namespace vigia::cassandra {

/// How many replicas have to agree.
enum class Consistency : std::uint8_t { kOne, kQuorum, kLocalQuorum, kAll };

struct StatementSpec {
  std::string cql;
  Consistency consistency = Consistency::kQuorum;
  /// Twice is as good as once: the driver may repeat it on another node. Else what a node that died
  /// did not answer is an error.
  bool is_idempotent = false;
  std::uint32_t page_rows = 1000;
  /// Not 0, and idempotent: unanswered for so long it is sent to a second node, too, and what comes
  /// first counts. The other one may do it much later all the same: of a write only where that is
  /// as good as at once.
  Duration speculative_after{};
};

/// A statement that the cluster knows. Ends before its driver. Thread contract: any thread.
class PreparedStatement {
 public:
  virtual ~PreparedStatement() = default;
};

/// All of it stays until the call that takes it returns.
struct Execution {
  const PreparedStatement& statement;
  const BoundCells& cells;
  std::string_view owner;  ///< on whose behalf, a customer's id; empty: our own
  Duration deadline;       ///< from the call to the answer; of for_each_row for all pages together
  std::string_view paging_state{};  ///< of the page before; empty: the first one
};

/// Requests to a second node, since the session began.
struct SecondRequestCounts {
  std::uint64_t sent = 0;
  std::uint64_t answered_first = 0;  ///< of these: before the first node
  std::uint64_t held_back = 0;       ///< not sent, since too many were under way
};

/// Comes once, on a thread of the driver's or before `execute` returns. It may neither wait nor
/// ask the driver for more.
using PageDone = Task<void(Result<Page>)>;

/// Errors: those of error_of (failure_codes.hpp). Thread contract: any thread; the destructor once
/// nobody waits for an answer.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual Result<std::unique_ptr<PreparedStatement>> prepare(const StatementSpec& spec,
                                                             Duration deadline) = 0;
  /// CQL as it stands, without values: changes of the schema, which all nodes know when it returns.
  virtual Result<void> run(std::string_view cql, Consistency consistency, Duration deadline) = 0;
  /// One page. There is no bound on how many are under way: a Session has one.
  virtual void execute(const Execution& request, PageDone done) = 0;
  virtual SecondRequestCounts second_requests() const { return {}; }
};

/// Whether this program was built with a driver (CMake's WITH_CASSANDRA).
bool has_driver();
/// Connects, in three times connect_timeout at most. kInvalid where this program has no driver.
Result<std::unique_ptr<Driver>> connect(const ConnectionSettings& settings);

}  // namespace vigia::cassandra
