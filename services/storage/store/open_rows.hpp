// Copies of what one instance has open, where the others find them: a machine that is lost with its
// disk then costs time and no sample. The contract of stores that several instances share.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/model/ids.hpp"

namespace vigia::storage::store {

/// The minute, since 1970, in which samples came in; of one instance it never falls.
using OpenSlot = std::uint32_t;

/// Samples of one customer, as whoever keeps them has encoded them.
struct OpenRow {
  CustomerId customer;
  std::string body;  ///< some hundred KiB at most, but for one sample that is larger alone
};

struct OpenRowStats {
  std::uint64_t kept = 0;        ///< rows
  std::uint64_t failed = 0;      ///< keeps that were refused
  std::uint64_t taken_over = 0;  ///< instances of which nothing is left to be taken
  bool is_alive = false;         ///< the others know that this instance lives
};

/// An instance gives a sign of life again and again; one that gave none for some time is gone, and
/// another takes over what it had open. No wall clock decides that: who waits goes by its own
/// steady clock, and who could not give its sign for half of that time keeps nothing more, so that
/// all that was ever kept is found. Thread contract: any thread; take_over from one at a time.
class OpenRows {
 public:
  virtual ~OpenRows() = default;

  /// Once, before anything is kept: what this instance's own disk gave back at the start. `newest`:
  /// the slot of the newest of it, 0 for none; is_whole: no damage was found in it. Where it is not
  /// whole, or something was kept in later slots, all that was kept before the start is given to
  /// take_over as if another had kept it. Waits for a store that does not answer.
  virtual Result<void> replayed(OpenSlot newest, bool is_whole) = 0;

  /// Called once, from any thread, also before `keep` returns; must neither throw nor wait.
  using Done = Task<void(Result<void>)>;
  /// Keeps the rows, all of them where `done` is told of no error: then a quorum has them, and
  /// whoever takes over this instance finds them. Else some may be there. May wait for a place
  /// among the customer's requests, some seconds at most. kUnavailable where the store refuses, or
  /// the others may think that this instance is gone.
  virtual void keep(OpenSlot slot, std::vector<OpenRow> rows, Done done) = 0;
  /// All that was kept in slots before this one is in the store: nobody has to read it. Never
  /// waits.
  virtual void release(OpenSlot before) = 0;

  /// Takes rows of one customer over, together of a MiB or so; an error leaves them and all of
  /// their customer for the next time.
  using Take =
      std::function<Result<void>(const CustomerId& customer, std::span<const std::string> bodies)>;
  /// Looks once for instances that are gone, and gives what they had open, a slot of each customer
  /// in turns, of each in the order in which it came. What `take` has taken is forgotten. Returns
  /// the first error, behind all else that could be done.
  virtual Result<void> take_over(const Take& take) = 0;
  /// How often to look.
  virtual Duration look_interval() const = 0;

  virtual OpenRowStats stats() const = 0;
};

}  // namespace vigia::storage::store
