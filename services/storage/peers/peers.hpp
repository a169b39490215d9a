// The other instances that share the store: who they are, and what they have open.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "services/storage/peers/settings.hpp"
#include "services/storage/read/open_elsewhere.hpp"
#include "services/storage/store/sharing_number.hpp"

namespace vigia::storage::peers {

/// Who shares the store, as it says itself.
struct Sharing {
  std::function<std::optional<store::SharingNumber>()> own;  ///< nothing: none just now
  /// All who may have something open, this instance included; waits for the store.
  std::function<Result<std::vector<store::SharingNumber>>()> all;
};

struct PeerState {
  std::string url;
  bool answers = false;  ///< also where it is this instance itself
  std::uint64_t failures = 0;
};

/// A peer that takes no connection or answers no look is away: reads ask it no more until it does.
/// It is looked for from here, each second, and at once where a read has waited in vain: what a
/// customer's own question takes says nothing of the others'. Whether answers are whole goes by the
/// store's own list of those who share it, which is read before they are asked: each second, and by
/// each read while somebody is away. Each of them has to have answered. So one that is gone for
/// good is missed until somebody has taken over what it had open, and one that nobody named is
/// missed as long as it lives. Thread contract: any thread; the destructor behind all talks.
class Peers final : public read::OpenElsewhere {
 public:
  /// `token`: what they ask for as a bearer's. Looks who shares the store before it returns.
  Peers(const PeerSettings& settings, const std::string& token, Sharing sharing);
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;
  ~Peers() override;

  std::unique_ptr<read::OpenTalk> begin() override;
  /// By the last look: somebody who may have something open does not answer.
  bool lacks_some() const;
  std::vector<PeerState> states() const;

 private:
  class Talk;
  struct Peer {
    explicit Peer(std::string origin) : url(std::move(origin)) {}
    const std::string url;
    // Guarded by mutex_.
    bool is_away = false;
    std::optional<store::SharingNumber> number;  // that it answered with last
    std::uint64_t failures = 0;
  };
  /// Of an answer: 200 alone.
  struct Reply {
    std::optional<store::SharingNumber> number;
    std::string body;
  };
  /// What is sent to some of them at once.
  struct Exchange;
  class Waiting;

  net::ClientRequest request_of(const Peer& peer, const std::string& customer,
                                const std::string& body) const;
  using Replies = std::vector<Result<Reply>>;
  Result<Replies> exchange(const std::vector<Peer*>& peers, const std::string& customer,
                           const std::string& body, lanes::AnswerMemory* memory);
  static Result<Reply> reply_of(Result<net::ClientResponse> response);
  void note(Peer& peer, const Result<Reply>& reply, bool is_look);
  void count_failure(Peer& peer);
  void look();
  using Sharers = std::optional<std::vector<store::SharingNumber>>;  // nothing: not known
  Sharers look_who_shares();                                         // waits for the store
  Sharers known_sharers() const;
  void run();
  std::optional<std::set<store::SharingNumber>> but_own(const Sharers& all) const;

  const PeerSettings settings_;
  const std::string bearer_;
  const Sharing sharing_;
  std::vector<std::unique_ptr<Peer>> peers_;
  const std::unique_ptr<net::Client> client_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Sharers all_;  // as of the last look
  bool is_stopping_ = false;
  bool is_look_wanted_ = false;
  std::thread looker_;
};

}  // namespace vigia::storage::peers
