// Service: which path is answered by which part.
#include <functional>
#include <string>
#include <string_view>

#include "libs/base/json_text.hpp"
#include "libs/net/form.hpp"
#include "libs/net/status.hpp"
#include "libs/otlp/paths.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/api/log_arrival_api.hpp"
#include "services/storage/api/log_stream_api.hpp"
#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

// Of writes and of whatever names its customer in the header.
std::string customer_of(const net::Request& request) {
  return std::string(request.headers.get(api::kCustomerHeader));
}

// The router names the customer in the header or in the parameter.
std::string reader_of(const net::Request& request) {
  std::string customer = customer_of(request);
  if (!customer.empty()) return customer;
  const auto parameters = net::parse_form(request.query);
  if (!parameters.has_value()) return customer;
  for (const auto& [name, value] : *parameters) {
    if (name == "customer") customer = value;
  }
  return customer;
}

// Below the time after which the router gives up, so that it hears of the end.
constexpr Duration kSearchTimeMax = std::chrono::seconds(20);
constexpr Duration kStreamsTimeMax = std::chrono::seconds(10);    // somebody opens a list
constexpr Duration kRemoteReadTimeMax = std::chrono::minutes(2);  // as Prometheus' queries
constexpr int kClientClosedRequest = 499;

net::Response answer_to_nobody() {
  net::Response response;
  response.status = kClientClosedRequest;
  return response;
}

// Counted when the last who works by it is done.
struct CountedLimit {
  CountedLimit(const Clock& clock, Duration longest, std::shared_ptr<const std::atomic<bool>> gone,
               service::Counter& counter)
      : limit(clock, longest, std::move(gone)), ended(counter) {}
  CountedLimit(const CountedLimit&) = delete;
  CountedLimit& operator=(const CountedLimit&) = delete;
  ~CountedLimit() {
    if (limit.has_timed_out()) ended.add();
  }
  store::WorkLimit limit;
  service::Counter& ended;
};

struct Job {  // shared with whoever answers when the lanes do not take it
  net::Request request;
  net::Responder responder;
};

std::shared_ptr<Job> make_job(net::Request request, net::Responder responder) {
  return std::make_shared<Job>(Job{std::move(request), std::move(responder)});
}

}  // namespace

void Service::add_route(const char* method, const std::string& pattern, lanes::CustomerLanes& lanes,
                        const LaneOf& lane_of, const Answer& answer) {
  routes_.add(method, pattern,
              [this, &lanes, lane_of, answer](net::Request request, const net::PathValues& values,
                                              net::Responder responder) {
                const std::string customer = lane_of(request);
                const std::size_t bytes = request.body.size();
                const auto job = make_job(std::move(request), std::move(responder));
                const auto taken = lanes.submit(customer, bytes, [job, values, answer] {
                  job->responder.send(answer(job->request, values));
                });
                if (!taken) job->responder.send(refuse(job->request, taken.error()));
              });
}

service::Counter& Service::ended_searches(const std::string& what) {
  return registry_.counter(
      "vigia_storage_searches_ended_total",
      "Reads that were ended because they took longer than their time, by what was asked for.",
      {{"what", what}});
}

void Service::add_search(const char* method, const std::string& pattern, const Search& search) {
  service::Counter& ended = ended_searches(search.what);
  routes_.add(method, pattern,
              [this, search, &ended](net::Request request, const net::PathValues& values,
                                     net::Responder responder) {
                const std::string customer = search.lane_of(request);
                const std::size_t bytes = request.body.size();
                const auto gone = std::make_shared<std::atomic<bool>>(false);
                responder.on_gone([gone] { *gone = true; });
                const auto job = make_job(std::move(request), std::move(responder));
                const auto taken = readers_->submit(
                    customer, bytes, [this, customer, job, values, search, gone, &ended] {
                      if (*gone) return job->responder.send(answer_to_nobody());
                      const store::WorkLimit limit(clock_, search.longest, gone);
                      net::Response response = search.answer(job->request, values, limit);
                      if (limit.has_timed_out()) ended.add();
                      gaps_.mark(response, customer);
                      job->responder.send(std::move(response));
                    });
                if (!taken) job->responder.send(refuse(job->request, taken.error()));
              });
}

void Service::add_read(const std::string& pattern, const Search& search) {
  add_search("GET", pattern, search);
  add_search("POST", pattern, search);
}

void Service::add_writes() {
  routes_.add("POST", "/api/v1/write",
              [this](net::Request request, const net::PathValues&, net::Responder responder) {
                const std::string customer = customer_of(request);
                const std::size_t bytes = request.body.size();
                const auto job = make_job(std::move(request), std::move(responder));
                const auto taken = sample_writers_->submit(customer, bytes, [this, job] {
                  write_api_->handle(std::move(job->request), std::move(job->responder));
                });
                if (!taken) job->responder.send(refuse(job->request, taken.error()));
              });
  add_event_writes(Signal::kTraces, *trace_intake_);
  add_event_writes(Signal::kLogs, *log_intake_);
}

void Service::add_event_writes(Signal signal, api::OtlpApi& intake) {
  for (const std::string_view path : {otlp::http_path(signal), otlp::grpc_path(signal)}) {
    add_route("POST", std::string(path), *event_writers_, customer_of,
              [&intake](const net::Request& request, const net::PathValues&) {
                return intake.handle(request);
              });
  }
}

// Its answer outlives the job that begins it: what is left of it is made by further ones, each in
// its customer's turn, as the client takes it.
void Service::add_remote_read() {
  service::Counter& ended = ended_searches("remote_read");
  const auto begin = [this, &ended](const std::string& customer, const std::shared_ptr<Job>& job,
                                    const std::shared_ptr<std::atomic<bool>>& gone) {
    if (*gone) return job->responder.send(answer_to_nobody());
    const auto counted = std::make_shared<CountedLimit>(clock_, kRemoteReadTimeMax, gone, ended);
    const api::ReadWork work{
        std::shared_ptr<const store::WorkLimit>(counted, &counted->limit), gone,
        [this, customer](Task<void()> more) { return readers_->go_on(customer, std::move(more)); }};
    net::Response response = read_api_->handle(job->request, work);
    gaps_.mark(response, customer);
    job->responder.send(std::move(response));
  };
  routes_.add(
      "POST", "/api/v1/read",
      [this, begin](net::Request request, const net::PathValues&, net::Responder responder) {
        const std::string customer = api::ReadApi::customer_of(request);
        const std::size_t bytes = request.body.size();
        const auto gone = std::make_shared<std::atomic<bool>>(false);
        responder.on_gone([gone] { *gone = true; });
        const auto job = make_job(std::move(request), std::move(responder));
        const auto taken = readers_->submit(
            customer, bytes, [begin, customer, job, gone] { begin(customer, job, gone); });
        if (!taken) job->responder.send(refuse(job->request, taken.error()));
      });
}

void Service::add_searches() {
  using net::PathValues;
  using net::Request;
  add_remote_read();
  const auto labels = [](auto answer) {
    return Search{"labels", kSearchTimeMax, reader_of, answer};
  };
  add_read("/api/v1/labels",
           labels([this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
             return label_api_->labels(request, limit);
           }));
  add_read("/api/v1/label/{name}/values",
           labels([this](const Request& request, const PathValues& values,
                         const store::WorkLimit& limit) {
             return label_api_->values(request, values.at("name"), limit);
           }));
  add_read("/api/v1/series",
           labels([this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
             return label_api_->series(request, limit);
           }));
  add_read("/api/v1/metadata",
           {"metadata", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              return metadata_api_->metadata(request, limit);
            }});
  add_read("/api/v1/exemplars",
           {"exemplars", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              return exemplar_api_->exemplars(request, limit);
            }});
}

void Service::add_event_searches() {
  using net::PathValues;
  using net::Request;
  const auto trace = [this](const Request& request, const PathValues& values,
                            const store::WorkLimit& limit) {
    return event_api_->trace(request, values.at("id"), limit);
  };
  for (const char* pattern : {"/api/v1/traces/{id}", "/jaeger/api/traces/{id}"}) {
    add_search("GET", pattern, {"trace", kSearchTimeMax, reader_of, trace});
  }
  add_read("/api/v1/logs",
           {"logs", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              return event_api_->logs(request, limit);
            }});
  add_read("/api/v1/logs/arrivals",
           {"arrivals", kSearchTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit&) {
              return api::log_arrivals(cold().events(), request);
            }});
  add_read("/api/v1/logs/streams",
           {"streams", kStreamsTimeMax, reader_of,
            [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
              const api::LogStreamApi streams(
                  cold().events(), *answers_,
                  // Chunks are of samples: no log record is missing for them.
                  api::AnswerGaps([this] { return instance_->damage().unsaved_files; },
                                  [this](std::string_view customer) {
                                    return instance_->lacks_rows_of(customer);
                                  }),
                  api::EventsKept{{}, [this](const CustomerId& customer) {
                                    return kept_from_ms(customer, retention::DataKind::kLogs);
                                  }});
              return streams.streams(request, limit);
            }});
  const auto search = [this](const char* what, const std::string& pattern, auto answer) {
    add_read(pattern, {what, kSearchTimeMax, reader_of, answer});
  };
  search("traces", "/api/v1/traces",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->traces(request, limit);
         });
  search("services", "/api/v1/services",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->services(request, limit);
         });
  search("operations", "/api/v1/services/{service}/operations",
         [this](const Request& request, const PathValues& values, const store::WorkLimit& limit) {
           return trace_search_->operations(request, values.at("service"), limit);
         });
  search("operations", "/api/v1/operations",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->operations(request, "", limit);
         });
  search("dependencies", "/api/v1/dependencies",
         [this](const Request& request, const PathValues&, const store::WorkLimit& limit) {
           return trace_search_->dependencies(request, limit);
         });
}

void Service::add_routes() {
  service::HealthPaths health;
  health.mark = [this](net::Response& response) {
    gaps_.mark(response);
    mark_lacking(response);
    say_identity(response);
  };
  service::add_health_routes(routes_, [this] { return is_ready(); }, health);
  add_writes();
  add_searches();
  add_event_searches();
  add_open_samples();
  add_route(
      "POST", "/api/v1/retention/confirm", *readers_, reader_of,
      [this](const net::Request& request, const net::PathValues&) { return confirm(request); });
  // It reads no row, and queries of the customer's that are under way wait for it: in no lane.
  routes_.add(
      "GET", "/api/v1/retention",
      [this](const net::Request& request, const net::PathValues&, net::Responder responder) {
        const auto customer = CustomerId::parse(reader_of(request));
        responder.send(customer ? kept_answer(*customer) : net::prometheus_error(customer.error()));
      });
  add_route("POST", "/api/v1/checkpoint", *readers_, reader_of,
            [this](const net::Request& request, const net::PathValues&) {
              return make_checkpoint(request);
            });
}

// Of the time that is in doubt, or of a customer who is to be kept shorter.
net::Response Service::confirm(const net::Request& request) {
  const std::string named = reader_of(request);
  bool is_confirmed = false;
  if (named.empty()) {
    is_confirmed = retention_guard_->confirm();
  } else {
    const auto customer = CustomerId::parse(named);
    if (!customer) return net::prometheus_error(customer.error());
    is_confirmed = classes_->confirm(*customer);
  }
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.status = is_confirmed ? 200 : 409;
  response.body =
      is_confirmed ? R"({"status":"confirmed"})" : R"({"status":"nothing is in doubt"})";
  return response;
}

// It holds everybody's data: whoever asks for one customer has no business with it.
net::Response Service::make_checkpoint(const net::Request& request) {
  if (!reader_of(request).empty()) {
    return net::prometheus_error(
        {ErrorCode::kForbidden, "a checkpoint is of all customers: ask without one"});
  }
  const auto name = checkpoints_->make();
  if (!name) return net::prometheus_error(name.error());
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.body = R"({"status":"success","data":{"name":)" + json_text(*name) + "}}";
  return response;
}

// The router goes by it: remote read has no room for it.
void Service::say_identity(net::Response& response) const {
  if (identity_) response.headers.add(disk_log::kStoreHeader, disk_log::to_text(*identity_));
}

}  // namespace vigia::storage
