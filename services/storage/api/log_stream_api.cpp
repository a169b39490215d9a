#include "services/storage/api/log_stream_api.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/log_query.hpp"
#include "services/storage/api/stream_counts.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::string_view kEnded =
    "the search was ended, it took too long or looked at too many log records: streams that had "
    "records only before the last ones of this time may be missing; ask for a shorter time";
constexpr std::string_view kMore =
    "results truncated: a page looks at no more log records at once; go on with the cursor";

struct StreamRequest {
  LogRequest log;
  CountWish wish;
  bool is_walk = false;
};

Result<std::uint64_t> read_ns(const std::string& name, const std::string& text) {
  std::uint64_t ns = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return ns;
  return fail(ErrorCode::kInvalid, fmt::format("{} is not a number of nanoseconds", name));
}

/// What of the parameters is of streams alone.
class CountParameters {
 public:
  explicit CountParameters(StreamRequest& request) : request_(request) {}

  Result<bool> read(const std::string& name, const std::string& value) {
    if (name == "cursor") {
      request_.is_walk = true;
      return value.empty();
    }
    if (name == "unless") {
      if (!request_.wish.unless) request_.wish.unless.emplace();
      if (request_.wish.unless->size() == kStreamMatchersMax) {
        return fail(ErrorCode::kInvalid, "more than 64 labels that no record may have");
      }
      if (!value.empty()) request_.wish.unless->push_back(value);
      return true;
    }
    if (name != "width" && name != "origin") return false;
    const auto ns = read_ns(name, value);
    if (!ns) return forward(ns);
    if (name == "width" && *ns == 0) return fail(ErrorCode::kInvalid, "width is 0");
    CountWindows& windows =
        request_.wish.windows ? *request_.wish.windows : request_.wish.windows.emplace();
    (name == "width" ? windows.width_ns : windows.origin_ns) = *ns;
    return true;
  }

 private:
  StreamRequest& request_;
};

Result<StreamRequest> read_request(const net::Request& request) {
  StreamRequest asked;
  CountParameters own(asked);
  auto log = read_log_request(
      request, [&](const auto& name, const auto& value) { return own.read(name, value); });
  if (!log) return forward(log);
  asked.log = std::move(*log);
  if (!asked.log.labels.fence) {
    return fail(ErrorCode::kInvalid, "streams are listed of one customer: name it");
  }
  if (!asked.is_walk && asked.log.direction != store::LogDirection::kForward) {
    return fail(ErrorCode::kInvalid, "streams have a direction by pages alone: with a cursor");
  }
  asked.wish.streams_max = std::min(asked.log.labels.limit, kLogStreamsMax);
  return asked;
}

/// How far a walk has come.
struct WalkedSoFar {
  std::optional<store::LogPlace> behind;  ///< all up to here is counted
  bool is_cut = false;                    ///< there is more

  void end_early(const store::LogEnd& end) {
    if (end.looked_at) behind = end.looked_at;
    is_cut = true;
  }
};

bool has_no_room(const StreamCounts& counts) {
  return counts.is_full() ||
         (!counts.error() && counts.error().error().code == ErrorCode::kOverLimit);
}

Result<void> write(const StreamCounts& counts, AnswerBody& body) {
  if (counts.is_countable()) return counts.write(body);
  body.tell("counted", "false");
  return {};
}

net::Response end_page(AnswerBody& body, StreamCounts& counts, const WalkedSoFar& walked,
                       LogPageEnd end) {
  body.tell("looked_at", counts.looked_at().json());
  if (!walked.is_cut) return body.finish("");
  if (!walked.behind) return body.finish(kEnded);
  end.place = *walked.behind;
  return body.finish(kMore, encode(end));
}

}  // namespace

net::Response LogStreamApi::streams(const net::Request& request,
                                    const store::WorkLimit& limit) const {
  const auto asked = read_request(request);
  if (!asked) return net::json_error(asked.error());
  const LabelQuery& labels = asked->log.labels;
  const CustomerId& customer = *labels.fence;
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  StreamCounts counts(asked->log, asked->wish, limit, *memory);
  WalkedSoFar walked{asked->log.cursor ? std::optional(asked->log.cursor->place) : std::nullopt};
  const store::LogQuery query{
      .from_ns = std::max(to_ns(labels.start_ms), kept_from_ns(kept_.logs_from, customer)),
      .to_ns = last_ns(labels.end_ms),
      .direction = asked->is_walk ? asked->log.direction : store::LogDirection::kBackward,
      .stream = asked->log.stream ? &*asked->log.stream : nullptr,
      .after = walked.behind};
  const auto add = [&](const store::LogRecordView& record) {
    if (!counts.add(record)) return false;
    walked.behind = record.place;
    walked.is_cut = asked->is_walk && counts.looked_at().is_enough();
    return !walked.is_cut;
  };
  if (query.from_ns <= query.to_ns) {
    const auto end = events_.read_logs(customer, query, add, limit);
    if (!end) return net::json_error(end.error());
    if (!end->is_whole) walked.end_early(*end);
  }
  // What has no room on a page begins the next one, unless it alone has none.
  const bool is_further = walked.behind && walked.behind != query.after;
  if (asked->is_walk && is_further && has_no_room(counts)) walked.is_cut = true;
  if (!walked.is_cut && !counts.error()) return net::json_error(counts.error().error());
  AnswerBody body(memory, gaps_.warning(share_of(labels.fence)));
  if (auto written = write(counts, body); !written) return net::json_error(written.error());
  if (asked->is_walk) return end_page(body, counts, walked, {customer, query.direction, {}});
  if (walked.is_cut) body.warn(std::string(kEnded));
  return body.finish(counts.is_full() ? kCutByLimit : "");
}

}  // namespace vigia::storage::api
