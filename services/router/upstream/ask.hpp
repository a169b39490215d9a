// What a store is asked, and what the ends of it mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/request/parameters.hpp"
#include "services/router/upstream/lanes.hpp"
#include "services/router/upstream/readers.hpp"

namespace vigia::router::upstream {

/// True where another store may still answer what this one did not: it saw nothing of the request,
/// or answered it with a fault of its own.
bool is_store_fault(const Error& error);
/// True where the connection broke after the request was sent. It may be what the store did not
/// survive, so that nobody may ask another one the same.
bool is_lost(const Error& error);
/// What a caller is told where no store that holds its data is there.
Error no_answer();
/// The error as a caller sees it: what is wrong with a store is the same to it as its absence.
Error outward(Error error);

struct Ask {
  /// Nobody asks without saying for whom. `whose` is the caller's customer; none: an operator's
  /// over all customers, or the router's own.
  Ask(std::optional<CustomerId> whose, std::string path_asked, request::Form form_asked = {},
      bool is_post_taken = true, Duration time_out = std::chrono::seconds(30))
      : customer(std::move(whose)),
        path(std::move(path_asked)),
        form(std::move(form_asked)),
        is_post(is_post_taken),
        timeout(time_out) {}

  /// Whose turn it takes, and whom a store that knows customers is told: there is no other way to
  /// put a header on a request.
  std::optional<CustomerId> customer;
  std::string path;
  request::Form form;
  bool is_post;  ///< false where the path takes GET only
  Duration timeout;
  /// Where it is lost, the request leaves the row or is broken off. Null: somebody waits always.
  std::shared_ptr<access::Interest> interest = nullptr;
  Lane lane = Lane::kUsual;
  /// Of its answer, where the caller may have less than a store may send: access::over_limit is
  /// the answer to more, as soon as it has come. 0: no such limit.
  std::uint64_t answer_bytes_max = 0;
  /// Called once the turn has come: it says whether the request may still be sent, on any thread,
  /// and its error is the answer where it may not. The turn is kept meanwhile. Empty: it may.
  std::function<void(Task<void(Result<void>)> say)> before = nullptr;
  /// Sent by POST in the place of the form: a snappy block of protobuf, as remote read has it.
  std::string message = {};
  /// Belongs to a request that has its turn, and takes none of its own: `timeout` is all the time
  /// that it has, whatever waits in rows.
  bool is_within_turn = false;
  /// Answers from this size on are read apart from the thread on which all answers arrive: less
  /// where a byte costs more than to be handed on.
  std::size_t large_bytes = Readers::kLargeBytes;
  /// An answer of over 1 MiB (spool::kSpooledBytesMin) may come as an envelope that is stored: who
  /// sets it takes such a one. Of `ask` alone.
  bool may_be_stored = false;
};

/// Whoever answers: an Upstream, or a double of one. Any thread.
class AskedStore {
 public:
  AskedStore() = default;
  virtual ~AskedStore() = default;

  /// Gives the answer, which is a success or the caller's own fault (bad_data, execution). Every
  /// other end is an error that names no address: kUnavailable (nobody there), kCorrupt (it
  /// answered, but with a fault of its own), kInternal (lost, see is_lost), kDeadline, kTooLarge,
  /// kInvalid (that of the ask's `before`), kForbidden (Ask::answer_bytes_max), kOverLimit (the
  /// store has no room for what was asked and says what helps, the customer's other requests took
  /// so long that this one got no turn, its other answers fill its share, or it has a penalty: see
  /// Penalties, for the lanes of unknown and heavy queries; operators' brief and long ones have
  /// theirs apart). `done` is called on its client's thread, on that of another request that ends,
  /// on that on which the interest is lost, or, where the answer is large, on one of the readers.
  /// The turn is kept until it returns. While the store is away (see reach) it is called at once,
  /// with kUnavailable.
  virtual void ask(Ask ask, Task<void(Result<wire::prometheus_api::Envelope>)> done) const = 0;
  /// The answer as it came, for what is no Prometheus API.
  virtual void fetch(Ask ask, Task<void(Result<net::ClientResponse>)> done) const = 0;

 protected:
  // Stores are moved into their places, as what they are.
  AskedStore(const AskedStore&) = default;
  AskedStore(AskedStore&&) = default;
  AskedStore& operator=(const AskedStore&) = default;
  AskedStore& operator=(AskedStore&&) = default;
};

}  // namespace vigia::router::upstream
