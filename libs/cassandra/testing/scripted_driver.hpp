// A driver without a cluster: it keeps what it is asked and answers as a test says.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/cassandra/driver.hpp"

namespace vigia::cassandra {

/// A page of rows, each of them texts.
Page page_of_texts(const std::vector<std::vector<std::string>>& rows, std::string paging_state);

/// Answers at once with what `answers` holds, first to last, each once; where it holds nothing, a
/// request waits for `answer_oldest`. Thread contract: any thread.
class ScriptedDriver final : public Driver {
 public:
  ~ScriptedDriver() override;
  Result<std::unique_ptr<PreparedStatement>> prepare(const StatementSpec& spec,
                                                     Duration deadline) override;
  Result<void> run(std::string_view cql, Consistency consistency, Duration deadline) override;
  void execute(const Execution& request, PageDone done) override;

  void will_answer(Result<Page> page);
  /// There must be one that waits.
  void answer_oldest(Result<Page> page);
  std::size_t waiting() const;
  std::vector<std::string> paging_states() const;  ///< of all that was executed
  std::vector<Duration> deadlines() const;
  std::vector<StatementSpec> prepared() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Result<Page>> answers_;
  std::deque<PageDone> waiting_;
  std::vector<std::string> paging_states_;
  std::vector<Duration> deadlines_;
  std::vector<StatementSpec> prepared_;
};

}  // namespace vigia::cassandra
