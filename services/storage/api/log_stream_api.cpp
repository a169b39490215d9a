#include "services/storage/api/log_stream_api.hpp"

#include <algorithm>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/log_query.hpp"
#include "services/storage/api/log_record.hpp"
#include "services/storage/read/series_search.hpp"
#include "services/storage/store/log_streams.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::string_view kEnded =
    "the search was ended, it took too long or looked at too many log records: streams that had "
    "records only before the last ones of this time may be missing; ask for a shorter time";
constexpr std::size_t kTextBytesMax = 1024;  // of a label; what is longer is shown cut

struct Stream {
  store::LogStream labels;
  std::string severity;
  auto operator<=>(const Stream&) const = default;
};

struct Counts {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

std::string cut(std::string text) {
  if (text.size() > kTextBytesMax) text.resize(kTextBytesMax);
  return text;
}

std::size_t memory_of(const Stream& stream) {
  constexpr std::size_t kNode = 256;
  return kNode + stream.labels.service_name.size() + stream.labels.node_id.size() +
         stream.labels.environment.size() + stream.severity.size();
}

// Counts records by their stream.
class StreamCount {
 public:
  StreamCount(const LogRequest& request, lanes::AnswerMemory& memory)
      : request_(request),
        streams_max_(std::min(request.labels.limit, kLogStreamsMax)),
        memory_(memory) {}

  /// A LogVisit.
  bool add(const store::LogRecordView& record) {
    const RecordParts parts = read_record(record.event.item);
    const auto wanted = is_wanted_within(request_.labels.sets, record.event, parts, memory_);
    if (!wanted) return end(wanted.error());
    if (!wanted->value_or(false)) return true;
    const auto counts = counts_of(record.event.resource, parts.severity);
    if (!counts) return end(counts.error());
    if (*counts == nullptr) {
      is_full_ = true;
      return false;
    }
    ++(*counts)->records;
    (*counts)->bytes += parts.body.size();
    return true;
  }
  bool is_full() const { return is_full_; }
  const Result<void>& error() const { return error_; }

  Result<void> write(AnswerBody& body) const {
    for (const auto& [stream, counts] : streams_) {
      const auto added = body.add(fmt::format(
          R"({{"service_name":{},"node_id":{},"environment":{},"severity":{},"records":{},"bytes":{}}})",
          json_text(stream.labels.service_name), json_text(stream.labels.node_id),
          json_text(stream.labels.environment), json_text(stream.severity), counts.records,
          counts.bytes));
      if (!added) return added;
    }
    return {};
  }

 private:
  bool end(const Error& error) {
    error_ = tl::unexpected<Error>(error);
    return false;
  }

  /// Null: there are more streams than are listed.
  Result<Counts*> counts_of(std::string_view resource, std::string_view severity) {
    const std::hash<std::string_view> hash;
    const Known known{hash(resource), hash(severity)};
    if (const auto at = known_.find(known); at != known_.end()) return at->second;
    Stream stream{store::stream_of(resource), cut(std::string(severity))};
    for (std::string* text :
         {&stream.labels.service_name, &stream.labels.node_id, &stream.labels.environment}) {
      *text = cut(std::move(*text));
    }
    auto at = streams_.find(stream);
    if (at == streams_.end()) {
      if (streams_.size() == streams_max_) return nullptr;
      if (auto fits = memory_.add(memory_of(stream)); !fits) return forward(fits);
      at = streams_.emplace(std::move(stream), Counts()).first;
    }
    // Of ever new resources not all are kept.
    if (known_.size() == kKnownMax) known_.clear();
    known_.emplace(known, &at->second);
    return &at->second;
  }

  static constexpr std::size_t kKnownMax = 10'000;
  using Known = std::pair<std::size_t, std::size_t>;
  struct KnownHash {
    std::size_t operator()(const Known& known) const { return known.first ^ known.second * 31; }
  };

  const LogRequest& request_;
  const std::size_t streams_max_;
  lanes::AnswerMemory& memory_;
  std::map<Stream, Counts> streams_;
  // By hashes of resource and severity: two that have one hash are the same customer's.
  std::unordered_map<Known, Counts*, KnownHash> known_;
  bool is_full_ = false;
  Result<void> error_;
};

Result<LogRequest> read_request(const net::Request& request) {
  auto asked = read_log_request(request);
  if (!asked) return asked;
  if (asked->cursor) return fail(ErrorCode::kInvalid, "streams have no pages: no cursor is taken");
  if (!asked->labels.fence) {
    return fail(ErrorCode::kInvalid, "streams are listed of one customer: name it");
  }
  return asked;
}

}  // namespace

net::Response LogStreamApi::streams(const net::Request& request,
                                    const store::WorkLimit& limit) const {
  const auto asked = read_request(request);
  if (!asked) return net::json_error(asked.error());
  const LabelQuery& labels = asked->labels;
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  StreamCount count(*asked, *memory);
  bool is_whole = true;
  for (const CustomerId& customer : read::customers_for(catalog_, labels.fence, {})) {
    const store::LogQuery query{
        .from_ns = std::max(to_ns(labels.start_ms), kept_from_ns(kept_.logs_from, customer)),
        .to_ns = last_ns(labels.end_ms),
        .direction = store::LogDirection::kBackward,
        .stream = asked->stream ? &*asked->stream : nullptr};
    if (query.to_ns < query.from_ns) continue;
    const auto end = events_.read_logs(
        customer, query, [&](const store::LogRecordView& record) { return count.add(record); },
        limit);
    if (!end) return net::json_error(end.error());
    is_whole = is_whole && end->is_whole;
  }
  if (!count.error()) return net::json_error(count.error().error());
  AnswerBody body(memory, gaps_.warning(share_of(labels.fence)));
  if (auto written = count.write(body); !written) return net::json_error(written.error());
  if (!is_whole) body.warn(std::string(kEnded));
  return body.finish(count.is_full() ? kCutByLimit : "");
}

}  // namespace vigia::storage::api
