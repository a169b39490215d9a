#include "services/router/api/loki/log_api.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/check.hpp"
#include "libs/logql/pipeline/front_filters.hpp"
#include "libs/net/form.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::loki {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ServedGateway;

const ServedGateway::Headers kReader{{"authorization", "Bearer read-a"}};
const ServedGateway::Headers kOperator{{"authorization", "Bearer op"}};
constexpr std::int64_t kNs = 1'664'088'804'000'000'000;
constexpr std::int64_t kGiga = 1'000'000'000;

/// One line as storage gives it.
std::string record(std::int64_t time_ns, const std::string& body,
                   const std::string& customer = "cliente-a") {
  return fmt::format(
      R"({{"time_ns":"{}","severity":"INFO","body":"{}","trace_id":"0e7b","span_id":"",)"
      R"("attributes":{{}},"resource":{{"customer.id":"{}","service.name":"shop"}}}})",
      time_ns, body, customer);
}

/// A long-term store with these lines, given page by page as storage gives them: the cursor is the
/// number of lines before it. Any thread.
class PagedStore final : public net::Handler {
 public:
  /// Storage as it is, or as it was before it filtered and counted lines.
  enum class Program : std::uint8_t { kOfToday, kEarlier };
  explicit PagedStore(std::vector<std::string> records, Program program = Program::kOfToday)
      : records_(std::move(records)), program_(program) {
    net::ServerSettings settings;
    settings.name = "test";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    auto started = net::Server::start(std::move(settings), *this);
    CHECK(started.has_value());
    server_ = std::move(*started);
  }

  std::string url() const { return "http://" + server_->address(); }
  /// What was asked for logs, as sorted parameters with the customer in front.
  std::vector<std::map<std::string, std::string>> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.body = request.path == "/api/v1/logs" ? page(request) : kNotCounted;
    if (request.path == "/api/v1/logs/streams" && program_ == Program::kEarlier) {
      const bool has_cursor = request.body.find("cursor=") != std::string::npos;
      response.status = has_cursor ? 400 : 200;
      response.body = has_cursor ? R"({"code":"invalid","message":"no such cursor"})" : list();
    }
    responder.send(std::move(response));
  }

 private:
  std::string list() const {
    return fmt::format(
        R"({{"status":"success","data":[{{"service_name":"shop","node_id":"","environment":"",)"
        R"("severity":"INFO","records":{},"bytes":7}}]}})",
        records_.size());
  }

  std::string page(const net::Request& request) {
    std::map<std::string, std::string> parameters{
        {"customer", std::string(request.headers.get("x-vigia-customer"))}};
    const auto form = net::parse_form(request.body);
    CHECK(form.has_value());
    parameters.insert(form->begin(), form->end());
    const std::lock_guard lock(mutex_);
    asked_.push_back(parameters);
    std::vector<std::string> records = records_;
    if (parameters["direction"] == "backward") std::reverse(records.begin(), records.end());
    const std::size_t begin =
        parameters["cursor"].empty() ? 0 : std::stoul(parameters["cursor"], nullptr, 16);
    const bool is_earlier = program_ == Program::kEarlier;
    const auto filters =
        logql::pipeline::FrontFilters::parse(is_earlier ? "" : parameters["lines"]).value();
    std::size_t left = std::stoul(parameters["limit"]);
    std::size_t end = begin;
    std::string data;
    for (; end < records.size() && left > 0; ++end) {
      if (!filters.pass(body_of(records[end]))) continue;
      data += (data.empty() ? "" : ",") + records[end];
      --left;
    }
    const std::string more =
        end == records.size()
            ? ""
            : fmt::format(R"(,"cursor":"{:x}","warnings":["results truncated due to limit"])", end);
    const std::string looked_at =
        fmt::format(R"(,"looked_at":{{"records":{},"bytes":0,"work_us":1}})", end - begin);
    return R"({"status":"success","data":[)" + data + "]" + more + (is_earlier ? "" : looked_at) +
           "}";
  }

  static std::string_view body_of(std::string_view record) {
    constexpr std::string_view kBefore = R"("body":")";
    const std::string_view rest = record.substr(record.find(kBefore) + kBefore.size());
    return rest.substr(0, rest.find('"'));
  }

  static constexpr const char* kNotCounted = R"({"status":"success","data":[],"counted":false})";

  const std::vector<std::string> records_;
  const Program program_;
  mutable std::mutex mutex_;
  std::vector<std::map<std::string, std::string>> asked_;
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

stores::StoresSettings with_cold(const std::string& url) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = url;
  return settings;
}

std::string target(const std::string& path, const request::Form& form) {
  return "/loki/api/v1/" + path + "?" + net::encode_form(form);
}

/// The values of an answer of one stream: [["1","a"],…] without the outer brackets.
std::string values_of(const net::ClientResponse& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  const std::string before = R"("values":[)";
  const auto begin = answer.body.find(before);
  if (begin == std::string::npos) return "";
  return answer.body.substr(begin + before.size(),
                            answer.body.find("]]", begin) + 1 - begin - before.size());
}

std::string cursor_of(const net::ClientResponse& answer) {
  const std::string before = R"("cursor":")";
  const auto begin = answer.body.find(before);
  if (begin == std::string::npos) return "";
  return answer.body.substr(begin + before.size(),
                            answer.body.find('"', begin + before.size()) - begin - before.size());
}

/// So many lines of one time: "01", "02", …
std::vector<std::string> lines_of_one_time(int count) {
  std::vector<std::string> records;
  for (int i = 1; i <= count; ++i) records.push_back(record(kNs, fmt::format("{:02}", i)));
  return records;
}

request::Form range_form(const std::string& query) {
  return {{"query", query}, {"start", std::to_string(kNs)}, {"end", std::to_string(kNs + 1)}};
}

// C59: its input, by pages and backward.
TEST(LogApi, LinesOfOneTimeKeepTheirOrderOverPages) {
  const PagedStore store(lines_of_one_time(5));
  ServedGateway gateway(with_cold(store.url()));
  auto form = range_form(R"({service_name="shop"})");
  form.insert(form.end(), {{"limit", "3"}, {"direction", "forward"}, {"cursor", ""}});
  const auto first = gateway.ask("GET", target("query_range", form), kReader);
  const std::string ns = std::to_string(kNs);
  const auto value = [&](const std::string& line) { return "[\"" + ns + "\",\"" + line + "\"]"; };
  EXPECT_EQ(values_of(first), value("01") + "," + value("02") + "," + value("03"));
  form.back().second = cursor_of(first);
  const auto second = gateway.ask("GET", target("query_range", form), kReader);
  EXPECT_EQ(values_of(second), value("04") + "," + value("05"));
  EXPECT_EQ(cursor_of(second), "");
  const auto backward =
      gateway.ask("GET", target("query_range", range_form(R"({service_name="shop"})")), kReader);
  EXPECT_EQ(values_of(backward), value("05") + "," + value("04") + "," + value("03") + "," +
                                     value("02") + "," + value("01"));
}

// Where a filter leaves lines out, a page ends in the middle of storage's.
TEST(LogApi, PagesOfFilteredLinesHaveEachOnce) {
  for (const int lines : {1, 2, 3, 7, 100}) {
    const PagedStore store(lines_of_one_time(99));
    ServedGateway gateway(with_cold(store.url()));
    for (const auto& [direction, stages] :
         std::initializer_list<std::pair<const char*, const char*>>{
             {"forward", ""},
             {"backward", ""},
             {"forward", "| drop nosuchlabel "},
             {"backward", "| drop nosuchlabel "}}) {
      auto form = range_form(R"({service_name="shop"} )" + std::string(stages) + R"(|~ "[37]$")");
      form.insert(form.end(),
                  {{"limit", std::to_string(lines)}, {"direction", direction}, {"cursor", ""}});
      std::vector<std::string> found;
      for (int pages = 0; pages < 40; ++pages) {
        const auto answer = gateway.ask("GET", target("query_range", form), kReader);
        const std::string values = values_of(answer);
        for (std::size_t at = values.find("\",\""); at != std::string::npos;
             at = values.find("\",\"", at + 1)) {
          found.push_back(values.substr(at + 3, 2));
        }
        form.back().second = cursor_of(answer);
        if (form.back().second.empty()) break;
      }
      std::vector<std::string> wanted;
      for (int i = 0; i < 10; ++i) {
        for (const int last : {3, 7}) wanted.push_back(fmt::format("{}{}", i, last));
      }
      if (std::string_view(direction) == "backward") std::reverse(wanted.begin(), wanted.end());
      EXPECT_EQ(found, wanted) << direction << " by " << lines << stages;
    }
  }
}

// While storage is of an earlier program no filter is passed over, and nothing counted is nothing.
TEST(LogApi, AnEarlierStorageIsUnderstood) {
  const PagedStore store(lines_of_one_time(99), PagedStore::Program::kEarlier);
  ServedGateway gateway(with_cold(store.url()));
  const std::string filter = R"({service_name="shop"} |~ "[37]$")";
  for (const char* direction : {"forward", "backward"}) {
    auto form = range_form(filter);
    form.insert(form.end(), {{"limit", "7"}, {"direction", direction}, {"cursor", ""}});
    std::string found;
    do {
      const auto page = gateway.ask("GET", target("query_range", form), kReader);
      ASSERT_EQ(page.status, 200) << page.body;
      found += values_of(page);
      form.back().second = cursor_of(page);
    } while (!form.back().second.empty());
    EXPECT_THAT(found, AllOf(HasSubstr("\"03\""), HasSubstr("\"97\""), Not(HasSubstr("\"04\""))));
    EXPECT_EQ(std::count(found.begin(), found.end(), '['), 20) << direction;
  }
  const auto counted =
      gateway.ask("GET",
                  target("query", {{"query", "sum(count_over_time(" + filter + "[1m]))"},
                                   {"time", std::to_string(kNs + 10)}}),
                  kReader);
  EXPECT_THAT(counted.body, HasSubstr(R"(,"20"])")) << "read, since it cannot count";
  const auto listed =
      gateway.ask("GET",
                  target("index/stats", {{"query", R"({service_name="shop"})"},
                                         {"start", std::to_string(kNs - 3600 * kGiga)},
                                         {"end", std::to_string(kNs + 1)}}),
                  kReader);
  EXPECT_THAT(listed.body, HasSubstr(R"("entries":99)")) << "one list of all the time";
}

TEST(LogApi, StorageIsAskedPageByPageForTheCallersCustomer) {
  std::vector<std::string> records;
  for (int i = 0; i < 1'200; ++i) records.push_back(record(kNs, i == 1'100 ? "needle" : "hay"));
  const PagedStore store(std::move(records));
  ServedGateway gateway(with_cold(store.url()));
  auto form = range_form(R"({service_name="shop",level="info"} |= "needle")");
  form.emplace_back("direction", "forward");
  const auto ask = [&] {
    return gateway.ask("POST", "/loki/api/v1/query_range",
                       {{"authorization", "Bearer read-a"},
                        {"x-vigia-customer", "cliente-b"},
                        {"x-scope-orgid", "cliente-b"},
                        {"content-type", "application/x-www-form-urlencoded"}},
                       net::encode_form(form));
  };
  const auto answer = ask();
  EXPECT_THAT(answer.body, HasSubstr("needle"));
  EXPECT_THAT(answer.body, HasSubstr(R"("totalLinesProcessed":1200)"));
  // What leaves lines out here has to have more of them.
  form.front().second += " | trace_id=`none`";
  EXPECT_THAT(ask().body, HasSubstr(R"("totalLinesProcessed":1200)"));
  std::vector<std::string> limits;
  for (auto asked : store.asked()) {
    EXPECT_EQ(asked["customer"], "cliente-a");
    EXPECT_EQ(asked["query"], R"({service_name="shop",customer_id="cliente-a"})");
    EXPECT_EQ(asked["matcher"].substr(0, 14), "severity=~(?i)");
    EXPECT_EQ(asked["start"], "1664088804.000");
    EXPECT_EQ(asked["end"], "1664088804.000");
    EXPECT_EQ(asked["lines"], R"(|= "needle")");
    limits.push_back(asked["limit"]);
  }
  EXPECT_THAT(limits, ElementsAre("100", "500"));
}

TEST(LogApi, TimesAreExactToTheNanosecond) {
  const PagedStore store({record(kNs - 1, "before"), record(kNs, "first"), record(kNs + 1, "last"),
                          record(kNs + 2, "end")});
  ServedGateway gateway(with_cold(store.url()));
  auto form = range_form(R"({service_name="shop"})");
  form[2].second = std::to_string(kNs + 2);
  EXPECT_EQ(values_of(gateway.ask("GET", target("query_range", form), kReader)),
            fmt::format(R"(["{}","last"],["{}","first"])", kNs + 1, kNs));
  form.emplace_back("interval", "1");
  EXPECT_EQ(values_of(gateway.ask("GET", target("query_range", form), kReader)),
            fmt::format(R"(["{}","last"])", kNs + 1));
}

// Whatever goes wrong in storage, no other customer's line comes out.
TEST(LogApi, AForeignLineEndsTheQuery) {
  const PagedStore store({record(kNs, "own"), record(kNs, "canary", "cliente-b")});
  ServedGateway gateway(with_cold(store.url()));
  const auto answer =
      gateway.ask("GET", target("query_range", range_form(R"({service_name="shop"})")), kReader);
  EXPECT_EQ(answer.status, 503) << answer.body;
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("canary")));
}

TEST(LogApi, AnOperatorNamesTheCustomer) {
  const PagedStore store({record(kNs, "own")});
  ServedGateway gateway(with_cold(store.url()));
  const auto ask = [&](const std::string& query, ServedGateway::Headers headers) {
    return gateway.ask("GET", target("query_range", range_form(query)), headers).status;
  };
  EXPECT_EQ(ask(R"({service_name="shop"})", kOperator), 400);
  EXPECT_EQ(ask(R"({service_name="shop",customer_id="cliente-a"})", kOperator), 200);
  EXPECT_EQ(ask(R"({service_name="shop"})",
                {{"authorization", "Bearer op"}, {"x-vigia-customer", "cliente-a"}}),
            200);
  EXPECT_EQ(gateway.ask("GET", "/loki/api/v1/labels", kOperator).status, 400);
  for (auto asked : store.asked()) EXPECT_EQ(asked["customer"], "cliente-a");
}

TEST(LogApi, CategoriesOfLabelsAreForWhoAsksForThem) {
  const PagedStore store({record(kNs, "own")});
  ServedGateway gateway(with_cold(store.url()));
  const std::string asked = target("query_range", range_form(R"({service_name="shop"})"));
  EXPECT_THAT(gateway.ask("GET", asked, kReader).body,
              HasSubstr(R"("stream":{"customer_id":"cliente-a","level":"info",)"
                        R"("service_name":"shop","trace_id":"0e7b"})"));
  const auto by_category = gateway.ask("GET", asked,
                                       {{"authorization", "Bearer read-a"},
                                        {"X-Loki-Response-Encoding-Flags", "categorize-labels"}});
  EXPECT_THAT(by_category.body,
              HasSubstr(R"("encodingFlags":["categorize-labels"],"result":[{"stream":)"
                        R"({"customer_id":"cliente-a","level":"info","service_name":"shop"})"));
  EXPECT_THAT(by_category.body, HasSubstr(R"("own",{"structuredMetadata":{"trace_id":"0e7b"}}])"));
}

// Grafana's test of its data source, and what it is told of what is not served.
TEST(LogApi, QueriesOfNumbersAreAnswered) {
  const PagedStore store({});
  ServedGateway gateway(with_cold(store.url()));
  const auto query = [&](const std::string& text) {
    return gateway.ask("GET", target("query", {{"query", text}, {"time", "4000000000"}}), kReader);
  };
  EXPECT_THAT(
      query("vector(1)+vector(1)").body,
      HasSubstr(R"({"resultType":"vector","result":[{"metric":{},"value":[4000000000,"2"]}])"));
  EXPECT_THAT(query("1+1").body, HasSubstr(R"("resultType":"scalar","result":[4000000000,"2"])"));
  const auto lines = query(R"({service_name="shop"})");
  EXPECT_EQ(lines.status, 400);
  EXPECT_THAT(lines.body, HasSubstr("log queries are not supported as an instant query type"));
  EXPECT_EQ(lines.headers.get("content-type"), "text/plain; charset=utf-8");
  const auto range = gateway.ask(
      "GET",
      target("query_range", {{"query", "vector(1)"}, {"start", "1"}, {"end", "3"}, {"step", "1"}}),
      kReader);
  EXPECT_THAT(range.body, HasSubstr(R"("resultType":"matrix","result":[{"metric":{},)"
                                    R"("values":[[1,"1"],[2,"1"],[3,"1"]]}])"));
  EXPECT_EQ(store.asked().size(), 0U);
}

/// The query's instant answer from its result on.
std::string sampled(ServedGateway& gateway, const std::string& query, std::int64_t time_ns = kNs) {
  const auto answer = gateway.ask(
      "GET", target("query", {{"query", query}, {"time", std::to_string(time_ns)}}), kReader);
  if (answer.status != 200) return fmt::format("{} {}", answer.status, answer.body);
  const auto begin = answer.body.find(R"("result":)");
  return answer.body.substr(begin, answer.body.find(R"(,"stats")") - begin);
}

TEST(LogApi, LinesAreCountedOverPages) {
  std::vector<std::string> records;
  for (int i = 0; i < 6'000; ++i) records.push_back(record(kNs, i % 3 == 0 ? "fizz" : "x"));
  records.push_back(record(kNs + 1, "later"));
  const PagedStore store(std::move(records));
  ServedGateway gateway(with_cold(store.url()));
  EXPECT_EQ(sampled(gateway, R"(sum(count_over_time({service_name="shop"}[1m])))"),
            R"("result":[{"metric":{},"value":[1664088804,"6000"]}])");
  EXPECT_EQ(sampled(gateway, R"(sum by (level) (count_over_time({level="info"} |= "fizz" [1m])))"),
            R"("result":[{"metric":{"level":"info"},"value":[1664088804,"2000"]}])");
  EXPECT_EQ(sampled(gateway, R"(sum(count_over_time({service_name="shop"}[1m])))", kNs - 1),
            R"("result":[])");
  const std::string rate = R"(sum(rate({service_name="shop"}[1m])))";
  EXPECT_EQ(sampled(gateway, rate + " / " + rate),
            R"("result":[{"metric":{},"value":[1664088804,"1"]}])");
  const auto asked = store.asked();
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked.front().at("direction"), "forward");
  EXPECT_EQ(asked.front().at("limit"), "5000");
  for (const auto& each : asked) EXPECT_EQ(each.at("customer"), "cliente-a");
}

TEST(LogApi, AForeignLineIsNotCounted) {
  const PagedStore store({record(kNs, "own"), record(kNs, "canary", "cliente-b")});
  ServedGateway gateway(with_cold(store.url()));
  EXPECT_EQ(sampled(gateway, R"(count_over_time({service_name="shop"}[1m]))").substr(0, 3), "503");
}

// What a customer's share has no room for is told as everything else is.
TEST(LogApi, AnAnswerThatIsTooLargeIsOverTheLimit) {
  const PagedStore store({});
  auto settings = with_cold(store.url());
  settings.answer_bytes_max = 100'000;
  ServedGateway gateway(settings);
  const auto ask = [&](const std::string& end) {
    return gateway.ask(
        "GET",
        target("query_range",
               {{"query", "vector(1)"}, {"start", "1"}, {"end", end}, {"step", "1"}}),
        kReader);
  };
  EXPECT_EQ(ask("1000").status, 200);
  const auto refused = ask("10000");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("content-type"), "text/plain; charset=utf-8");
  EXPECT_THAT(refused.body, HasSubstr("ask for fewer series, a shorter range or a longer step"));
}

TEST(LogApi, ErrorsAreLokis) {
  const PagedStore store({});
  ServedGateway gateway(with_cold(store.url()));
  for (const auto& [path, headers, status] :
       std::initializer_list<std::tuple<const char*, ServedGateway::Headers, int>>{
           {"query_range?query=%7B", kReader, 400},
           {"query_range", kReader, 400},
           {"query_range?query=%7Bservice_name%3D%22x%22%7D&limit=5001", kReader, 400},
           {"query_range?query=%7Bservice_name%3D%22x%22%7D&start=5&end=4", kReader, 400},
           {"series?match[]=%7B", kReader, 400},
           {"labels", {}, 401},
           {"labels", {{"authorization", "Bearer ingest-a"}}, 403},
           {"tail?query=%7Bservice_name%3D%22x%22%7D", kReader, 426},
           {"push", kReader, 404}}) {
    const auto answer = gateway.ask("GET", std::string("/loki/api/v1/") + path, headers);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    EXPECT_EQ(answer.headers.get("content-type"), "text/plain; charset=utf-8") << path;
    EXPECT_NE(answer.body, "") << path;
    EXPECT_NE(answer.body.front(), '{') << path;
  }
}

TEST(LogApi, WithoutAStoreThereAreNoLogs) {
  ServedGateway gateway(with_cold(""));
  EXPECT_EQ(gateway.ask("GET", target("query_range", range_form(R"({service_name="x"})")), kReader)
                .status,
            404);
  ServedGateway away(with_cold("http://127.0.0.1:9"));
  EXPECT_EQ(
      away.ask("GET", target("query_range", range_form(R"({service_name="x"})")), kReader).status,
      503);
  EXPECT_EQ(away.ask("GET", "/loki/api/v1/labels", kReader).status, 503);
}

}  // namespace
}  // namespace vigia::router::api::loki
