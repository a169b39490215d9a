// A page of log records while it is made.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/log_query.hpp"
#include "services/storage/api/log_record.hpp"
#include "services/storage/api/looked_at.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::api {

/// One customer's records after another's, for operators. One by line filters ends, too, where it
/// has looked at enough (looked_at.hpp). Thread contract: the thread that makes it.
class LogPage {
 public:
  /// `request` and `limit` must outlive it. `gaps`: AnswerBody's.
  LogPage(const LogRequest& request, const store::WorkLimit& limit,
          const std::shared_ptr<lanes::AnswerMemory>& memory, std::string_view gaps);

  /// `customer` must outlive the page.
  void begin(const CustomerId& customer) { customer_ = &customer; }
  /// A LogVisit.
  bool add(const store::LogRecordView& record);
  bool is_cut() const { return !cut_.empty(); }
  const Result<void>& error() const { return error_; }
  /// All of this customer's records were looked at: the next page goes on behind them even where
  /// none was asked for.
  void end_customer(const store::LogQuery& query);
  /// The limit ended the walk of this customer's records.
  void end_early(const store::LogEnd& end);

  /// Where it is cut the next page goes on behind what was looked at here.
  net::Response finish();

 private:
  Result<Taken> take(const store::LogRecordView& record, const RecordParts& parts);
  Result<bool> passes_filters(const RecordParts& parts);
  bool pass_on(const store::LogPlace& place);
  bool pass(const store::LogPlace& place);
  bool cut(std::string_view why);

  const LogRequest& request_;
  const std::size_t records_max_;
  lanes::AnswerMemory& memory_;
  AnswerBody body_;
  RecordSelector selector_;
  LookedAt looked_at_;
  std::string made_text_;
  const CustomerId* customer_ = nullptr;
  std::optional<store::LogPlace> behind_;  // the last record that was looked at
  const CustomerId* behind_in_ = nullptr;  // whose it is
  std::string_view cut_;                   // why the page ends before the records do
  std::size_t left_out_ = 0;
  Result<void> error_;
};

}  // namespace vigia::storage::api
