// One request of /federate on its way from store to store.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/net/client.hpp"
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

/// Asks one hot shard of the caller's, and no other store: the /federate of a Prometheus gives what
/// lies on its own disk, so that of prometheus-query, which reads storage, is an empty page. Any
/// thread; calls `done` once.
class FederationRunner : public std::enable_shared_from_this<FederationRunner> {
 public:
  using Done = Task<void(FederatedPage)>;

  /// `question`: plan::read_federation's; `shard`: whom it is asked of, none where no one shard
  /// holds all. The stores must outlive it; it lives as long as an answer is missing.
  static void start(stores::Stores& stores, plan::Question question,
                    std::optional<std::size_t> shard, std::shared_ptr<access::Interest> interest,
                    Done done);

  /// For start alone.
  FederationRunner(stores::Stores& stores, plan::Course course,
                   std::shared_ptr<access::Interest> interest, Done done);

 private:
  using Page = Result<net::ClientResponse>;

  const plan::Question& question() const { return course_.question(); }
  coverage::Covered covered() const;
  void ask();
  void confirm(Page page);
  void take(Page page);

  stores::Stores& stores_;
  plan::Course course_;
  const std::shared_ptr<access::Interest> interest_;
  const Done done_;
};

}  // namespace vigia::router::run
