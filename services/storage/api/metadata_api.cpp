#include "services/storage/api/metadata_api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/label_query.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::string_view kCut = "results truncated due to limit";  // as Prometheus says it
constexpr std::size_t kSaidBytesMax = 64U << 20U;                    // that are held at once
constexpr std::size_t kNodeBytes = 192;  // of a metric that was found, beside its letters
constexpr std::array<std::string_view, store::kMetricTypeMax + 1> kTypeNames = {
    "unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"};

struct MetadataQuery {
  LabelQuery whose;
  std::string metric;  // "": all
  std::size_t metrics_max = SIZE_MAX;
  std::size_t each_max = SIZE_MAX;
};

// Less than 0 is no limit, as Prometheus has it.
Result<std::size_t> read_most(const std::string& name, const std::string& value) {
  std::int64_t most = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), most);
  if (error != std::errc() || end != value.data() + value.size())
    return fail(ErrorCode::kInvalid, fmt::format("{} must be a number", name));
  return most < 0 ? SIZE_MAX : static_cast<std::size_t>(most);
}

Result<MetadataQuery> read_query(const net::Request& request) {
  MetadataQuery query;
  auto whose = read_label_query(
      request, [&](const std::string& name, const std::string& value) -> Result<bool> {
        if (name == "customer") return false;
        if (name == "metric") {
          query.metric = value;
          return true;
        }
        if (name != "limit" && name != "limit_per_metric")
          return fail(ErrorCode::kInvalid, fmt::format("unknown parameter \"{}\"", name));
        if (value.empty()) return true;
        const auto most = read_most(name, value);
        if (!most) return forward(most);
        if (name == "limit") {
          query.metrics_max = *most;
        } else if (*most > 0) {
          query.each_max = *most;
        }
        return true;
      });
  if (!whose) return forward(whose);
  query.whose = *std::move(whose);
  return query;
}

// What the customers that are asked for say, in JSON, by metric; of several who say the same once.
class SaidOfMetrics {
 public:
  SaidOfMetrics(const MetadataQuery& query, lanes::AnswerMemory& memory)
      : query_(query), memory_(memory) {}

  /// False where no more is wanted.
  bool add(const store::MetricMetadata& metric) {
    std::string json =
        fmt::format(R"({{"type":"{}","help":{},"unit":{}}})", kTypeNames.at(metric.type),
                    json_text(metric.help), json_text(metric.unit));
    const auto at = metrics_.find(metric.metric);
    if (at != metrics_.end() && has_enough(at->second, json)) return true;
    const std::size_t bytes = kNodeBytes + metric.metric.size() + json.size();
    is_cut_ = bytes_ + bytes > kSaidBytesMax;
    if (is_cut_) return false;
    held_ = memory_.add(bytes);
    if (!held_) return false;
    bytes_ += bytes;
    metrics_[metric.metric].push_back(std::move(json));
    return true;
  }
  const Result<void>& held() const { return held_; }
  bool is_cut() const { return is_cut_; }

  net::Response answer(AnswerBody body) const {
    for (const auto& [metric, said] : metrics_) {
      const std::string item = fmt::format("{}:[{}]", json_text(metric), fmt::join(said, ","));
      if (body.items() == query_.metrics_max || !body.has_room(item.size() + 1))
        return body.finish(kCut);
      if (auto added = body.add(item); !added) return net::prometheus_error(added.error());
    }
    return body.finish(is_cut_ ? kCut : "");
  }

 private:
  bool has_enough(const std::vector<std::string>& said, const std::string& json) const {
    return said.size() >= query_.each_max ||
           std::find(said.begin(), said.end(), json) != said.end();
  }

  const MetadataQuery& query_;
  lanes::AnswerMemory& memory_;
  std::map<std::string, std::vector<std::string>> metrics_;
  Result<void> held_;
  std::size_t bytes_ = 0;
  bool is_cut_ = false;
};

}  // namespace

net::Response MetadataApi::metadata(const net::Request& request,
                                    const store::WorkLimit& limit) const {
  auto query = read_query(request);
  if (query && metadata_ == nullptr)
    query = fail(ErrorCode::kInvalid, "this store keeps no metadata of metrics");
  if (!query) return net::prometheus_error(query.error());
  const read::Fence& fence = query->whose.fence;
  const auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(fence));
  SaidOfMetrics said(*query, *memory);
  for (const CustomerId& customer : read::customers_for(catalog_, fence, {})) {
    const TimestampMs from_ms = noted_from_ ? noted_from_(customer) : 0;
    const auto note = [&](const store::MetricMetadata& metric) {
      const bool is_over = (static_cast<TimestampMs>(metric.day) + 1) * store::kDayMs <= from_ms;
      return is_over || said.add(metric);
    };
    const auto read = metadata_->read(customer, query->metric, note, limit);
    if (!read) return net::prometheus_error(read.error());
    if (!said.held()) return net::prometheus_error(said.held().error());
    if (said.is_cut()) break;
  }
  return said.answer(AnswerBody(memory, gaps_.warning(share_of(fence)), AnswerData::kObject));
}

}  // namespace vigia::storage::api
