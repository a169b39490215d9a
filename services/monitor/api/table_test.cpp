#include "services/monitor/api/table.hpp"

#include <future>
#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "libs/net/client.hpp"
#include "services/monitor/api/limits.hpp"

namespace vigia::monitor::api {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");

/// Answers of many requests at once, by status.
class Answers {
 public:
  void add(int status) {
    const std::scoped_lock lock(mutex_);
    ++counts_[status];
    changed_.notify_all();
  }
  /// Waits until so many have come.
  void await(int status, int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return counts_[status] >= count; });
  }
  std::map<int, int> counts() {
    const std::scoped_lock lock(mutex_);
    return counts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, int> counts_;
};

/// The table behind a real door, with curves of customer B that wait until they are let go.
class Table : public ::testing::Test, public net::Handler {
 protected:
  void SetUp() override {
    table_.add_waiting("GET", "/customers/{customer_id}/nodes/{node_id}/metrics", Access::kCustomer,
                       [this, go = released_.get_future().share()](const ApiCall& call) {
                         if (call.principal.customer == kB) {
                           begun_.add(0);
                           go.wait();
                         }
                         return ApiResult(json_answer(200, "{}"));
                       });
    net::ServerSettings settings;
    settings.name = "table";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(*net::Server::start(std::move(settings), *this));
  }
  void TearDown() override {
    server_->stop(SystemClock().steady());
    client_->close();
    // As the service does: a job that has answered still looks for the next one in the table.
    quick_.stop();
    waiting_.stop(service::WaitingJobs::kDrop, {});
  }
  void handle(net::Request request, net::Responder responder) override {
    table_.handle(std::move(request), std::move(responder));
  }

  /// Two customers and an operator, each with its name as token.
  static ApiGate gate() {
    const auto authenticate = [](const net::RequestHead& head) -> Result<access::Principal> {
      const std::string_view header = head.headers.get("authorization");
      access::Principal caller;
      caller.name = header.substr(std::min(header.size(), sizeof "Bearer"));
      for (const auto& id : {kA, kB}) {
        if (caller.name == id.text()) caller.customer = id;
      }
      if (caller.customer || caller.name == "operator") return caller;
      return fail(ErrorCode::kUnauthenticated, "who?");
    };
    return {authenticate, [](const CustomerId& id) { return Result<bool>(id == kA || id == kB); }};
  }
  /// Curves of customer B; `token` "" for a stranger.
  net::ClientRequest curves_of_b(const std::string& token) const {
    net::ClientRequest request;
    request.url =
        "http://" + server_->address() + "/api/v1/customers/cliente-b/nodes/web-01/metrics";
    if (!token.empty()) request.headers.add("authorization", "Bearer " + token);
    return request;
  }
  int status_of(const std::string& token) {
    const auto answered = client_->fetch(curves_of_b(token));
    return answered ? answered->status : 0;  // 0: none within the client's patience
  }
  void send_of_b(int count) {
    for (int i = 0; i < count; ++i) {
      client_->send(curves_of_b("cliente-b"), [this](const auto& answered) {
        answers_.add(answered ? answered->status : 0);
      });
    }
  }

  SystemClock clock_;
  service::MetricRegistry metrics_;
  std::promise<void> released_;
  Answers begun_;
  Answers answers_;
  std::unique_ptr<net::Client> client_ = net::Client::create({200, "test", false});
  access::FairPool quick_{
      access::FairPoolLimits{2, kWorkerQueueMax, kQuickOfCallerMax, kKnownCallersMax}, clock_};
  service::WorkerPool waiting_{kWaitingWorkers, kWaitingQueueMax};
  access::FairPool hashing_{access::FairPoolLimits{1, 1, 1, 1}, clock_};
  ApiTable table_{gate(), ApiWorkers{quick_, waiting_, hashing_}, clock_, metrics_, {}};
  std::unique_ptr<net::Server> server_;
};

// Strangers that named B filled its places with requests that ended in 401.
TEST_F(Table, WhoIsRefusedTakesNobodysPlace) {
  const int at_once = static_cast<int>(kWaitingAtOncePerCustomer);
  const int waiting = static_cast<int>(kWaitingPerCustomerMax);
  send_of_b(at_once);
  begun_.await(0, at_once);
  for (int i = 0; i <= waiting; ++i) {
    ASSERT_EQ(status_of(""), 401) << i;
    ASSERT_EQ(status_of("invented"), 401) << i;
    ASSERT_EQ(status_of("cliente-a"), 404) << i;
  }
  EXPECT_TRUE(answers_.counts().empty());
  send_of_b(waiting + 1);
  answers_.await(503, 1);
  released_.set_value();
  answers_.await(200, at_once + waiting);
  EXPECT_EQ(answers_.counts(), (std::map<int, int>{{200, at_once + waiting}, {503, 1}}));
}

TEST_F(Table, AnOperatorHasPlacesOfHisOwn) {
  const int at_once = static_cast<int>(kWaitingAtOncePerCustomer);
  const int waiting = static_cast<int>(kWaitingPerCustomerMax);
  send_of_b(at_once);
  begun_.await(0, at_once);  // or they would wait, too, and take places of those that come next
  send_of_b(waiting + 1);
  answers_.await(503, 1);
  EXPECT_EQ(status_of("operator"), 200);
  released_.set_value();
  answers_.await(200, at_once + waiting);
}

}  // namespace
}  // namespace vigia::monitor::api
