#include "services/router/api/loki/stream_list.hpp"

#include <memory>
#include <utility>

#include <simdjson.h>

#include "services/router/api/loki/level.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::api::loki {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kNsPerMs = 1'000'000;
// Some 50 streams, of which each makes a set of labels: a tenth of a millisecond.
constexpr std::size_t kReadApartBytes = 8U << 10U;

Error no_list() {
  return {ErrorCode::kCorrupt, "the long-term store does not answer as it should"};
}

bool read_stream(const CustomerId& customer, const dom::element& from, StreamList& list) {
  std::vector<Label> labels{{std::string(kCustomerLabel), customer.text()}};
  for (const char* name : {"service_name", "node_id", "environment"}) {
    std::string_view value;
    if (from[name].get_string().get(value) != simdjson::SUCCESS) return false;
    labels.push_back({name, std::string(value)});
  }
  std::string_view severity;
  StreamCounts counts;
  if (from["severity"].get_string().get(severity) != simdjson::SUCCESS ||
      from["records"].get_uint64().get(counts.lines) != simdjson::SUCCESS ||
      from["bytes"].get_uint64().get(counts.bytes) != simdjson::SUCCESS) {
    return false;
  }
  labels.push_back({"level", std::string(level_of(severity))});
  // Several of a sender's words may be one level.
  StreamCounts& all = list.streams[Labels::from(std::move(labels))];
  all.lines += counts.lines;
  all.bytes += counts.bytes;
  return true;
}

}  // namespace

Result<void> read_streams(const CustomerId& customer, std::string_view json, StreamList& list) {
  dom::parser parser;
  dom::element answer;
  dom::array streams;
  if (parser.parse(json.data(), json.size()).get(answer) != simdjson::SUCCESS ||
      answer["data"].get_array().get(streams) != simdjson::SUCCESS) {
    return tl::unexpected<Error>(no_list());
  }
  for (const dom::element each : streams) {
    if (!read_stream(customer, each, list)) return tl::unexpected<Error>(no_list());
  }
  dom::array warnings;
  if (answer["warnings"].get_array().get(warnings) != simdjson::SUCCESS) return {};
  for (const dom::element warning : warnings) {
    std::string_view text;
    if (warning.get_string().get(text) == simdjson::SUCCESS) list.warnings.emplace_back(text);
  }
  return {};
}

namespace {

class Listing : public std::enable_shared_from_this<Listing> {
 public:
  Listing(stores::Stores& stores, StreamListQuestion question, Task<void(Result<StreamList>)> done)
      : stores_(stores), question_(std::move(question)), done_(std::move(done)) {}

  void ask_next() {
    while (next_ < question_.selectors.size() && !question_.selectors[next_].selects_something) {
      ++next_;
    }
    if (next_ == question_.selectors.size()) return done_(std::move(list_));
    stores_.cold()->fetch(make_ask(question_.selectors[next_]),
                          [self = shared_from_this()](const Result<net::ClientResponse>& answer) {
                            self->take(answer);
                          });
  }

 private:
  upstream::Ask make_ask(const StreamQuery& query) const {
    request::Form form{{"start", request::format_seconds(question_.range.start_ns / kNsPerMs)},
                       {"end", request::format_seconds((question_.range.end_ns - 1) / kNsPerMs)},
                       {"query", query.streams}};
    if (!query.severity.empty()) form.emplace_back("matcher", query.severity);
    upstream::Ask ask(question_.customer, "/api/v1/logs/streams", std::move(form));
    ask.timeout = question_.timeout;
    ask.interest = question_.interest;
    ask.lane = upstream::Lane::kLookUp;
    ask.large_bytes = kReadApartBytes;
    return ask;
  }

  void take(const Result<net::ClientResponse>& answer) {
    if (!answer || answer->status != 200) {
      return done_(tl::unexpected<Error>(why_no_page(answer)));
    }
    StreamList found;
    if (auto read = read_streams(question_.customer, answer->body, found); !read) {
      return done_(tl::unexpected<Error>(upstream::outward(std::move(read.error()))));
    }
    // What two selectors name is one stream.
    list_.streams.merge(found.streams);
    list_.warnings.insert(list_.warnings.end(), found.warnings.begin(), found.warnings.end());
    ++next_;
    ask_next();
  }

  stores::Stores& stores_;
  const StreamListQuestion question_;
  const Task<void(Result<StreamList>)> done_;
  std::size_t next_ = 0;
  StreamList list_;
};

}  // namespace

void list_streams(stores::Stores& stores, StreamListQuestion question,
                  Task<void(Result<StreamList>)> done) {
  std::make_shared<Listing>(stores, std::move(question), std::move(done))->ask_next();
}

}  // namespace vigia::router::api::loki
