// Which customers are asked for together, so that one of them can keep the live state from few.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "libs/model/ids.hpp"

namespace vigia::monitor::live {

/// Customers whose nodes are asked for in the same queries.
struct LookGroup {
  std::vector<CustomerId> customers;
  std::size_t series_per_customer = 0;  ///< what each may add to an answer
};

/// A group of two or more in two.
std::pair<LookGroup, LookGroup> halves_of(const LookGroup& group);

/// Puts the watched customers into groups: small ones together, large ones alone. A customer that
/// was found to send more than it may is asked for alone from then on, and a group whose questions
/// failed is cut in two, so that after a few looks whoever makes them fail is alone with it.
/// Thread contract: one thread.
class LookPlan {
 public:
  /// The groups of the next look, those that it did not come to for longest first, and of those
  /// that wait alike whoever sends more than it may last. Who was asked has had its turn, answered
  /// or not: questions that fail each time take no turn of others'. `nodes` says how many each
  /// watched customer has.
  std::vector<LookGroup> groups(const std::map<CustomerId, std::size_t>& nodes);
  void note_answered(const LookGroup& group);
  /// Only where it took too long or was too large, or the router answered others: else it is not
  /// the group's fault.
  void note_failed(const LookGroup& group);
  /// The look ended before it.
  void note_missed(const LookGroup& group);
  /// It reached its bound in an answer.
  void note_crowded(const CustomerId& customer) { crowded_[customer] = kLooksAlone; }

 private:
  // A good quarter of an hour at a look every 5 s; then it is tried again with the others.
  static constexpr std::size_t kLooksAlone = 200;

  void note_asked(const LookGroup& group);
  void forget_old(const std::map<CustomerId, std::size_t>& nodes);

  /// Members that must be in different groups have different numbers here; 0 for all others.
  std::map<CustomerId, std::size_t> parts_;
  std::map<CustomerId, std::size_t> crowded_;  ///< looks that are left
  std::map<CustomerId, std::size_t> missed_;   ///< looks in a row that did not come to it
  std::size_t last_part_ = 0;
  std::size_t looks_apart_ = 0;  ///< after so many the parts are put together again
};

}  // namespace vigia::monitor::live
