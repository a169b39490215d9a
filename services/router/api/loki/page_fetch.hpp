// Pages of storage's for whoever waits for them, and what all of one query have looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/api/loki/log_page.hpp"
#include "services/router/api/loki/work_watch.hpp"
#include "services/router/stores/stores.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::api::loki {

/// What the parts of one query have read together.
struct FeedState {
  /// What ends the query now, or with a line more: access::over_limit's error or kInvalid, with how
  /// far it came and what helps; kDeadline where its client has left.
  Result<void> look() { return go_on(watch.look()); }
  Result<void> look_at_line(std::size_t bytes) { return go_on(watch.look_at_line(bytes)); }
  /// The same, with what storage has looked at for a page, of which so much was given and is
  /// counted.
  Result<void> note(const PageWork& looked_at, std::uint64_t lines_given,
                    std::uint64_t bytes_given);
  /// The error of that end, which is not the client's.
  Error too_much(WorkEnd end) const { return watch.too_much(end, sentence_of(end)); }
  /// The query took too long, and not by its own time.
  Error too_slow() const { return {ErrorCode::kInvalid, sentence_of(WorkEnd::kTime)}; }
  /// Each is said once.
  void warn(const std::vector<std::string>& more);

  WorkWatch watch;
  std::vector<std::string> warnings = {};

 private:
  Result<void> go_on(WorkEnd end) const;
  std::string sentence_of(WorkEnd end) const;
};

/// One page at a time, counted among its customer's answers while it is there. Blocks: for a thread
/// that may. The stores and the state must outlive it.
class PageFetch {
 public:
  PageFetch(stores::Stores& stores, CustomerId customer, FeedState& state);

  /// The page that `make_ask` asks for within the time that is left; until the next call. Errors
  /// beside storage's: took_too_long past the query's time; kOverLimit where the customer's other
  /// answers leave no room.
  Result<std::string_view> fetch(const std::function<upstream::Ask(Duration left)>& make_ask);
  /// The page's text is needed no more; what was made of it stays counted, as long as it was.
  void end_reading() { page_ = {}; }
  Error took_too_long() const;
  /// The last call failed because the store knows no such question (400).
  bool was_refused() const { return was_refused_; }

 private:
  void let_go();

  stores::Stores& stores_;
  const CustomerId customer_;
  FeedState& state_;
  std::string page_;
  bool was_refused_ = false;
  std::optional<access::ByteShares::HeldBytes> held_;
};

}  // namespace vigia::router::api::loki
