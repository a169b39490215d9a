#include "services/storage/api/log_arrival_api.hpp"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "libs/net/status.hpp"
#include "services/storage/api/label_query.hpp"
#include "services/storage/api/log_query.hpp"

namespace vigia::storage::api {
namespace {

struct ArrivalRequest {
  CustomerId customer;
  std::optional<std::uint64_t> after;
};

Result<ArrivalRequest> read_request(const net::Request& request) {
  std::optional<std::uint64_t> after;
  const auto labels =
      read_label_query(request, [&](const std::string& name, const std::string& value) {
        if (name != "after") return Result<bool>(false);
        const auto number = read_arrival(value);
        if (!number) return Result<bool>(forward(number));
        after = *number;
        return Result<bool>(true);
      });
  if (!labels) return forward(labels);
  if (!labels->fence) {
    return fail(ErrorCode::kInvalid, "log records are followed of one customer: name it");
  }
  return ArrivalRequest{*labels->fence, after};
}

}  // namespace

net::Response log_arrivals(store::EventStore& events, const net::Request& request) {
  const auto asked = read_request(request);
  if (!asked) return net::json_error(asked.error());
  const auto arrivals = events.log_arrivals(asked->customer, asked->after);
  if (!arrivals) return net::json_error(arrivals.error());
  // Numbers in quotes: nanoseconds are more than a JavaScript number holds.
  std::string times;
  for (const store::TimeSpan& span : arrivals->times) {
    times += fmt::format(R"({}["{}","{}"])", times.empty() ? "" : ",", span.from_ns, span.to_ns);
  }
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.body = fmt::format(R"({{"status":"success","data":{{"upto":"{}","times":[{}]}}}})",
                              arrivals->upto, times);
  return response;
}

}  // namespace vigia::storage::api
