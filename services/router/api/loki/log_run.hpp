// A query of lines on its way: storage is asked page by page, until there are enough.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/net/client.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/api/loki/answer.hpp"
#include "services/router/api/loki/log_page.hpp"
#include "services/router/api/loki/log_question.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/api/loki/query_threads.hpp"
#include "services/router/api/loki/work_watch.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// Answers one exchange. Each page is one request at storage, in its customer's turn. Where the
/// bounds end it before it has its lines the answer is an error that says how far it came: lines
/// that are left out without a word look as if there were none. One thread at a time. What a page
/// costs, its stages above all, is worked on one of `threads`, in a turn of the payer's that ends
/// with the page: never on the thread on which everybody's answers arrive.
class LogRun : public std::enable_shared_from_this<LogRun> {
 public:
  /// The stores must outlive it, and have a long-term store; so must the threads.
  LogRun(stores::Stores& stores, QueryThreads& threads, LogQuestion question,
         request::Exchange exchange);
  void start();

 private:
  void ask_next();
  std::size_t first_page() const;
  std::size_t next_page() const;
  /// Storage gives no line that is left out here.
  bool are_all_taken() const;
  bool are_filtered_there() const { return !walk_.lines.empty() && knows_filters_; }
  using Work = void (LogRun::*)(std::string page);
  /// Gives a page to `work` on one of the threads; an answer that is none ends the query.
  void receive(Result<net::ClientResponse> answer, Work work);
  void take(std::string page);
  /// What was read of a page is let go: from here on the next one may come, on another thread.
  void leave(std::string page);
  Result<bool> add(const LogRecord& record);
  bool is_in_range(const LogRecord& record) const;
  bool is_far_enough(const LogRecord& record) const;
  void go_on(PageEnd end);
  /// Asks for the place behind the last line that was taken, where that is in the middle of a page.
  void find_place();
  void take_place(std::string page);
  void finish(const std::string& cursor);
  /// It took too long, by whatever.
  void give_up();
  std::string sentence_of(WorkEnd end) const;
  Error ended(WorkEnd end) const;
  Error no_room() const;

  bool is_forward() const { return question_.wish.direction == Direction::kForward; }
  bool is_enough() const { return stats_.returned == question_.wish.lines; }

  stores::Stores& stores_;
  QueryThreads& threads_;
  LogQuestion question_;
  request::Exchange exchange_;
  const LogWalk walk_;
  WorkWatch watch_;
  std::optional<access::ByteShares::HeldBytes> held_;  ///< for the answer, and the body made of it
  std::optional<access::ByteShares::HeldBytes> page_held_;  ///< for the page that waits or is read
  StreamsAnswer answer_;
  LogStats stats_;
  std::size_t answer_bytes_ = 0;
  std::size_t page_records_ = 0;  ///< of the page that is asked for
  bool knows_filters_ = true;     ///< storage; an earlier program gives all lines
  std::size_t seen_ = 0;          ///< of its records
  std::size_t seen_bytes_ = 0;    ///< of their texts
  std::string cursor_;            ///< of the page that is asked for; "": the first
  std::vector<std::string> warnings_;
  std::optional<std::int64_t> last_ns_;    ///< of the line that was taken last
  std::optional<std::int64_t> looked_ns_;  ///< of the line that was looked at last
};

}  // namespace vigia::router::api::loki
