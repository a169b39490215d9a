#include "services/router/api/loki/page_fetch.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "services/router/api/loki/page_ask.hpp"

namespace vigia::router::api::loki {
namespace {

/// Blocks. The store calls back in any case; where it lets the call go instead, at the program's
/// end, it is as one that is not there.
Result<net::ClientResponse> fetch_and_wait(const upstream::AskedStore& store, upstream::Ask ask) {
  auto promise = std::make_shared<std::promise<Result<net::ClientResponse>>>();
  auto answer = promise->get_future();
  store.fetch(std::move(ask), [promise = std::move(promise)](Result<net::ClientResponse> found) {
    promise->set_value(std::move(found));
  });
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return tl::unexpected<Error>(upstream::no_answer());
  }
}

}  // namespace

Result<void> FeedState::go_on(WorkEnd end) const {
  if (end == WorkEnd::kNone) return {};
  return tl::unexpected<Error>(end == WorkEnd::kClientLeft ? client_left() : too_much(end));
}

std::string FeedState::sentence_of(WorkEnd end) const {
  constexpr std::uint64_t kMiB = 1U << 20U;
  return fmt::format(
      "the query {}: it looked at {} lines ({} MiB) and is not at their end; ask "
      "for a shorter time, or name more of service_name, node_id, environment "
      "and level",
      why_ended(end), watch.lines(), watch.bytes() / kMiB);
}

Result<void> FeedState::note(const PageWork& looked_at, std::uint64_t lines_given,
                             std::uint64_t bytes_given) {
  const PageWork left_out = looked_at.without(lines_given, bytes_given);
  return go_on(watch.note(left_out.lines, left_out.bytes, left_out.work));
}

void FeedState::warn(const std::vector<std::string>& more) {
  for (const std::string& warning : more) {
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
      warnings.push_back(warning);
    }
  }
}

PageFetch::PageFetch(stores::Stores& stores, CustomerId customer, FeedState& state)
    : stores_(stores), customer_(std::move(customer)), state_(state) {}

Result<std::string_view> PageFetch::fetch(
    const std::function<upstream::Ask(Duration left)>& make_ask) {
  const Duration left = state_.watch.left();
  if (left <= Duration::zero()) return tl::unexpected<Error>(took_too_long());
  let_go();
  auto answer = fetch_and_wait(*stores_.cold(), make_ask(left));
  if (!answer && answer.error().code == ErrorCode::kDeadline) {
    return tl::unexpected<Error>(took_too_long());
  }
  was_refused_ = answer && answer->status == 400;
  if (!answer || answer->status != 200) return tl::unexpected<Error>(why_no_page(answer));
  // The store's own count of it has ended with its call.
  held_.emplace(stores_.shares().hold(customer_.text()));
  if (!held_->grow(answer->body.size())) {
    return fail(ErrorCode::kOverLimit,
                "other answers under way leave no room for this query's lines");
  }
  page_ = std::move(answer->body);
  return std::string_view(page_);
}

void PageFetch::let_go() {
  page_ = {};
  held_.reset();
}

Error PageFetch::took_too_long() const {
  return state_.watch.left() > Duration::zero() ? state_.too_slow()
                                                : state_.too_much(WorkEnd::kTime);
}

}  // namespace vigia::router::api::loki
