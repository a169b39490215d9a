// Where nodes are asked, with name servers that are silent, wrong or quick.
#include "services/monitor/internal_port/node_places.hpp"

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "services/monitor/internal_port/limits.hpp"

namespace vigia::monitor::internal_port {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");

/// Name servers: what each name has, and those that answer nothing before they are released.
class NameServers {
 public:
  Result<std::string> look_up(const std::string& address) {
    std::unique_lock lock(mutex_);
    ++asked_[address];
    change_.notify_all();
    change_.wait(lock, [&] { return !silent_.contains(address.substr(0, address.find('.'))); });
    clock.advance(took_);
    const auto found = known_.find(address);
    if (found == known_.end()) return fail(ErrorCode::kUnavailable, "cannot be resolved");
    return found->second;
  }
  void know(const std::string& address, Result<std::string> found) {
    const std::lock_guard lock(mutex_);
    known_.insert_or_assign(address, std::move(found));
  }
  void forget(const std::string& address) {
    const std::lock_guard lock(mutex_);
    known_.erase(address);
  }
  /// Names that begin so.
  void silence(const std::string& beginning) {
    const std::lock_guard lock(mutex_);
    silent_.insert(beginning);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    silent_.clear();
    change_.notify_all();
  }
  void wait_until_asked(const std::string& address, std::size_t times) {
    std::unique_lock lock(mutex_);
    change_.wait(lock, [&] { return asked_[address] >= times; });
  }
  void set_took(Duration took) { took_ = took; }

  ManualClock clock{1'000'000'000};

 private:
  std::mutex mutex_;
  std::condition_variable change_;
  std::map<std::string, Result<std::string>> known_;
  std::map<std::string, std::size_t> asked_;
  std::set<std::string> silent_;
  std::atomic<Duration> took_{Duration::zero()};
};

nodes::NodeRow node(const CustomerId& customer, const std::string& id, const std::string& address) {
  return {customer, *NodeId::parse(id), "", "", address, false, 1, 0, 0};
}

live::NodeKey key(const CustomerId& customer, const std::string& id) {
  return {customer, *NodeId::parse(id)};
}

class NodePlacesTest : public ::testing::Test {
 protected:
  NodePlacesTest()
      : places_({[this](const std::string& address) { return servers_.look_up(address); },
                 [](const std::string& address) {
                   return access::check_literal(address, {false, true});
                 }},
                servers_.clock, metrics_) {}
  ~NodePlacesTest() override { servers_.release(); }

  /// What whoever asks is told, when it is told.
  std::future<std::string> ask(const live::NodeKey& node) {
    std::promise<std::string> promise;
    auto told = promise.get_future();
    NodePlaces::Asker asker = [promise =
                                   std::move(promise)](const Result<ScrapePlace>& place) mutable {
      if (place) return promise.set_value((place->is_encrypted ? "https " : "") + place->address);
      promise.set_value(place.error().code == ErrorCode::kNotFound ? "no such node" : "nothing");
    };
    // Who is not one of them keeps the asker, and may still use it.
    if (!places_.ask(node, asker)) asker(fail(ErrorCode::kNotFound, ""));
    return told;
  }
  bool shows(const std::string& text) {
    return metrics_.expose(false).find(text) != std::string::npos;
  }

  NameServers servers_;
  service::MetricRegistry metrics_;
  NodePlaces places_;
};

TEST_F(NodePlacesTest, ALiteralIsKnownAtOnceAndANameWhenItIsLookedUp) {
  servers_.know("web.example:8080", "10.0.0.8:8080");
  servers_.know("tls.example:8443", "10.0.0.9:8443");
  servers_.know("bad.example:80", fail(ErrorCode::kInvalid, "metadata"));
  places_.set_nodes({node(kA, "bare", "10.0.0.7:8080"), node(kA, "named", "web.example:8080"),
                     node(kA, "tls", "https://tls.example:8443"),
                     node(kA, "refused", "169.254.169.254:80"), node(kA, "evil", "bad.example:80"),
                     node(kA, "gone", "gone.example:80")});
  EXPECT_EQ(ask(key(kA, "bare")).get(), "10.0.0.7:8080");
  EXPECT_EQ(ask(key(kA, "named")).get(), "10.0.0.8:8080");
  EXPECT_EQ(ask(key(kA, "tls")).get(), "https 10.0.0.9:8443");
  for (const auto* down : {"refused", "evil", "gone"}) {
    EXPECT_EQ(ask(key(kA, down)).get(), "127.0.0.1:9") << down;
  }
  EXPECT_EQ(ask(key(kB, "bare")).get(), "no such node");
}

TEST_F(NodePlacesTest, ASilentNameServerKeepsNobodyElseWaiting) {
  servers_.silence("slow");
  std::vector<nodes::NodeRow> nodes;
  for (int i = 0; i < 300; ++i) {
    nodes.push_back(node(kA, "n" + std::to_string(i), "slow." + std::to_string(i) + ".example:80"));
  }
  servers_.know("web.example:8080", "10.0.0.8:8080");
  nodes.push_back(node(kB, "named", "web.example:8080"));
  nodes.push_back(node(kA, "bare", "10.0.0.7:8080"));
  places_.set_nodes(nodes);
  EXPECT_EQ(ask(key(kB, "named")).get(), "10.0.0.8:8080");
  EXPECT_EQ(ask(key(kA, "bare")).get(), "10.0.0.7:8080");
  EXPECT_TRUE(shows("vigia_monitor_customer_places_unknown{customer_id=\"cliente-a\"} 1"));
  EXPECT_FALSE(shows("cliente-b")) << "nothing of it is unknown";
  nodes.erase(nodes.begin() + 2, nodes.begin() + 300);
  places_.set_nodes(nodes);
  const std::string unknown = "vigia_monitor_node_place_unknown{customer_id=\"cliente-a\",node_id=";
  EXPECT_TRUE(shows(unknown + "\"n0\"} 1") && shows(unknown + "\"n1\"} 1"));
  EXPECT_FALSE(shows(unknown + "\"n2\"}")) << "it is watched no more";
  EXPECT_FALSE(shows("customer_places_unknown{"));
}

TEST_F(NodePlacesTest, WhoeverWaitsIsToldWhenItIsKnownAndTheNewestAlone) {
  servers_.silence("slow");
  servers_.know("slow.example:80", "10.0.0.8:80");
  places_.set_nodes({node(kA, "n", "slow.example:80")});
  auto first = ask(key(kA, "n"));
  auto second = ask(key(kA, "n"));
  EXPECT_EQ(first.get(), "nothing") << "another asks for the same";
  servers_.release();
  EXPECT_EQ(second.get(), "10.0.0.8:80");
  EXPECT_FALSE(shows("node_place_unknown{"));
}

TEST_F(NodePlacesTest, TheEndTellsWhoeverWaits) {
  servers_.silence("slow");
  places_.set_nodes({node(kA, "n", "slow.example:80"), node(kA, "m", "slow.example:81")});
  auto waits = ask(key(kA, "n"));
  auto forgotten = ask(key(kA, "m"));
  places_.set_nodes({node(kA, "n", "slow.example:80")});
  EXPECT_EQ(forgotten.get(), "nothing");
  places_.end();
  EXPECT_EQ(waits.get(), "nothing");
  EXPECT_EQ(ask(key(kA, "n")).get(), "nothing");
}

TEST_F(NodePlacesTest, ThePlaceStaysWhileItsNameServerIsSilentAndMovesWithItsName) {
  servers_.know("web.example:80", "10.0.0.8:80");
  places_.set_nodes({node(kA, "n", "web.example:80")});
  EXPECT_EQ(ask(key(kA, "n")).get(), "10.0.0.8:80");
  servers_.forget("web.example:80");
  servers_.clock.advance(kPlaceStays);
  EXPECT_EQ(ask(key(kA, "n")).get(), "10.0.0.8:80");
  servers_.wait_until_asked("web.example:80", 2);
  EXPECT_EQ(ask(key(kA, "n")).get(), "10.0.0.8:80");
  EXPECT_FALSE(shows("node_place_unknown{")) << "it was looked up once";
  servers_.know("web.example:80", "10.0.0.9:80");
  while (ask(key(kA, "n")).get() != "10.0.0.9:80") servers_.clock.advance(kPlaceStays);
  servers_.silence("new");
  places_.add_node(node(kA, "n", "new.example:80"));
  EXPECT_TRUE(shows("node_place_unknown{customer_id=\"cliente-a\",node_id=\"n\"} 1"))
      << "what is known of its old address says nothing";
}

TEST_F(NodePlacesTest, WhoWasSlowWaitsAmongTheSlow) {
  servers_.set_took(kSlowLookUp);
  std::vector<nodes::NodeRow> nodes;
  std::vector<CustomerId> slow;
  for (std::size_t i = 0; i < kLookUpWorkers; ++i) {
    slow.push_back(*CustomerId::parse("slow-" + std::to_string(i)));
    nodes.push_back(node(slow.back(), "n", "dead.example:80"));
  }
  places_.set_nodes(nodes);
  for (const auto& customer : slow) EXPECT_EQ(ask(key(customer, "n")).get(), "127.0.0.1:9");
  servers_.set_took(Duration::zero());
  servers_.silence("silent");
  for (const auto& customer : slow) {
    nodes.push_back(node(customer, "m", "silent.example:80"));
    nodes.push_back(node(customer, "o", "silent.example:81"));
  }
  servers_.know("web.example:80", "10.0.0.8:80");
  places_.set_nodes(nodes);
  places_.add_node(node(kB, "n", "web.example:80"));
  EXPECT_EQ(ask(key(kB, "n")).get(), "10.0.0.8:80") << "every thread for the others would be taken";
}

}  // namespace
}  // namespace vigia::monitor::internal_port
