// Passes on to customers' hosts what Alertmanager has to tell them.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/monitor/access/address_book.hpp"
#include "services/monitor/channels/channel_outcomes.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::internal_port {

/// What Alertmanager is told of a customer's host that answered `status`: 200 where it took the
/// message; 503 for 429 and 5xx, which Alertmanager tries again; the same 4xx, and 422 for a
/// redirection or anything else, which it does not.
int passed_status(int status);

/// The sentence for a channel's owner where its host answered `status`, or did not (`error`): no
/// address, no path.
std::string failure_of_status(int status);
std::string failure_of_error(const Error& error);

/// Alertmanager reads whatever a host answers into memory, and resolves names without a check of
/// the address. So a customer's webhook or Slack channel is posted to here, and from here to the
/// customer's host: its address is checked (access/address.hpp) and that very address connected to,
/// redirections are not followed, 16 KiB of the answer are read, within 10 s. Each customer has a
/// bounded part of what is under way, in which every channel of it has room for one message, and
/// one at most of the threads that wait for database and name server. A webhook is told nothing of
/// the provider's own machines (customer_message.hpp). How each message went is noted. Thread
/// contract: any thread; does not block.
class ChannelHooks {
 public:
  struct Message {
    std::string content_type;
    std::string body;
  };

  /// `addresses` has the policy of channels; `portal` is the origin that messages lead to, "" for
  /// none.
  ChannelHooks(store::Database& database, access::AddressBook& addresses,
               channels::ChannelOutcomes& outcomes, service::MetricRegistry& metrics,
               std::string portal);
  ~ChannelHooks();
  ChannelHooks(const ChannelHooks&) = delete;
  ChannelHooks& operator=(const ChannelHooks&) = delete;

  /// Answers what passed_status says; 404 where the customer has no such channel, 403 where its
  /// address is not allowed (neither is tried again), 503 where its name or host cannot be reached
  /// or too much of that customer is under way. While the database is away the channel is what it
  /// was when it was last used.
  void pass_on(const CustomerId& customer, const std::string& channel_id, Message message,
               net::Responder responder);
  /// Ends what is under way; from now on everything is answered 503. Safe twice.
  void end();

 private:
  class Taken;
  struct Delivery {
    std::string channel_id;
    Message message;
    net::Responder responder;
    std::unique_ptr<Taken> taken;
  };
  struct Share {
    std::deque<Delivery> waiting;  ///< for a look-up
    bool is_looking_up = false;    ///< a job for it is submitted or runs
    std::size_t under_way = 0;
    std::size_t bytes = 0;
    std::map<std::string, std::size_t> of_channel;  ///< of `under_way`
  };
  /// False where there is no room.
  bool take(const CustomerId& customer, Delivery& delivery);
  void look_up_soon(const CustomerId& customer);
  void look_up_next(const CustomerId& customer);
  void send(const CustomerId& customer, Delivery delivery);
  struct Target {
    std::string url;
    bool is_webhook = false;  ///< else Slack
  };
  Result<Target> target_of(const CustomerId& customer, const std::string& channel_id);
  /// The request that brings it, with the message as the customer gets it.
  Result<net::ClientRequest> request_of(const CustomerId& customer, Delivery& delivery);
  void count(int status);
  void give_back(const CustomerId& customer, const std::string& channel_id, std::size_t bytes);

  store::Database& database_;
  access::AddressBook& addresses_;
  channels::ChannelOutcomes& outcomes_;
  const std::string portal_;
  service::Counter& passed_;
  service::Counter& refused_;
  service::Counter& failed_;
  std::mutex mutex_;
  std::map<CustomerId, Share> shares_;  ///< guarded by mutex_; of those with something under way
  std::map<std::pair<CustomerId, std::string>, Target> targets_;  ///< guarded by mutex_
  bool is_ending_ = false;                                        ///< guarded by mutex_
  std::unique_ptr<net::Client> client_;
  service::WorkerPool workers_;  ///< last: its threads use the above
};

}  // namespace vigia::monitor::internal_port
