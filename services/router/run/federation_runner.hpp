// One request of /federate on its way from store to store.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/net/client.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/plan/course.hpp"
#include "services/router/plan/notes.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::run {

/// A page in Prometheus' text format, or an error as the caller sees it.
struct FederatedPage {
  Result<std::string> text;
  plan::Notes notes;
};

/// Asks step by step what the course says, as QueryRunner, but for pages, which have no warnings:
/// prometheus-query leaves out without a word what storage does not give it, so that it is looked
/// at again. Any thread; calls `done` once.
class FederationRunner : public std::enable_shared_from_this<FederationRunner> {
 public:
  using Done = Task<void(FederatedPage)>;

  /// `question`: plan::read_federation's. The stores must outlive it; it lives as long as an answer
  /// is missing.
  static void start(stores::Stores& stores, plan::Question question,
                    std::shared_ptr<access::Interest> interest, Done done);

  /// For start alone.
  FederationRunner(stores::Stores& stores, plan::Course course,
                   std::shared_ptr<access::Interest> interest, Done done);

 private:
  using Page = Result<net::ClientResponse>;

  const plan::Question& question() const { return course_.question(); }
  bool is_at_hot() const { return course_.step().store == plan::Store::kHot; }
  const upstream::AskedStore& store() const;
  upstream::Ask ask_of(std::string path, request::Form form) const;
  void ask();
  void take(Page page);
  void settle(plan::Verdict verdict, Page page);
  void look_again(Page page);
  void finish(std::string text);
  void fail_with(const Page& page);

  stores::Stores& stores_;
  plan::Course course_;
  const std::shared_ptr<access::Interest> interest_;
  const Done done_;
  std::optional<access::ByteShares::HeldBytes> held_;  ///< for a page that waits to be looked at
};

}  // namespace vigia::router::run
