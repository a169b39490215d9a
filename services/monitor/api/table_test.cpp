#include "services/monitor/api/table.hpp"

#include <future>
#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/net/client.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/scratch_database.hpp"
#include "services/monitor/store/tokens.hpp"

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
    ASSERT_TRUE((*database_).write([](store::Connection& c) -> Result<void> {
      for (const auto& id : {kA, kB}) {
        auto done =
            store::insert_customer(store::Customer{id, id.text(), true, "hot-0", {}, 1, 1}, c);
        if (!done) return forward(done);
        auto token = store::insert_token(token_of(id), c);
        if (!token) return token;
      }
      return store::insert_token(token_of(std::nullopt), c);
    }));
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

  static store::Token token_of(const std::optional<CustomerId>& customer) {
    const std::string name = customer ? customer->text() : "operator";
    return store::Token{"id-" + name, customer, name, "read", sha256_hex(name), "", 1, 0, 0};
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

  store::ScratchDatabase database_;
  access::PasswordHasher hasher_;
  SystemClock clock_;
  service::MetricRegistry metrics_;
  access::Authenticator authenticator_{*database_, hasher_, clock_, access::SessionSettings{}};
  std::promise<void> released_;
  Answers begun_;
  Answers answers_;
  std::unique_ptr<net::Client> client_ = net::Client::create({200, "test", false});
  access::FairPool quick_{
      access::FairPoolLimits{2, kWorkerQueueMax, kQuickOfCallerMax, kKnownCallersMax}, clock_};
  service::WorkerPool waiting_{kWaitingWorkers, kWaitingQueueMax};
  access::FairPool hashing_{access::FairPoolLimits{1, 1, 1, 1}, clock_};
  ApiTable table_{*database_, authenticator_, ApiWorkers{quick_, waiting_, hashing_},
                  clock_,     metrics_,       {}};
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
  const int of_b = static_cast<int>(kWaitingAtOncePerCustomer + kWaitingPerCustomerMax);
  send_of_b(of_b + 1);
  answers_.await(503, 1);
  EXPECT_EQ(status_of("operator"), 200);
  released_.set_value();
  answers_.await(200, of_b);
}

}  // namespace
}  // namespace vigia::monitor::api
