#include "services/storage/peers/peers.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/peers/open_message.hpp"

namespace vigia::storage::peers {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);
// The largest answer is one series with large histograms; its memory is the customer's share.
constexpr std::size_t kAnswerBytesMax = 48U << 20U;
constexpr std::size_t kLookBytesMax = 64U << 10U;
constexpr int kOk = 200;
constexpr std::size_t kWordsMax = 200;

std::optional<store::SharingNumber> number_in(const net::Headers& headers) {
  const std::string_view text = headers.get(kInstanceHeader);
  store::SharingNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// One short line: it goes into a log.
std::string words_of(std::string text) {
  text.resize(std::min(text.size(), kWordsMax));
  constexpr char kLast = '~';
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return letter < ' ' || letter > kLast; }, ' ');
  return text;
}

}  // namespace

struct Peers::Exchange {
  std::mutex mutex;
  std::condition_variable all_came;
  std::size_t left = 0;
  std::vector<std::optional<Result<net::ClientResponse>>> responses;
  std::set<std::size_t> reached;          // who may have seen something of it
  lanes::AnswerMemory* memory = nullptr;  // used by whoever waits, or under the lock meanwhile
  std::optional<Error> refusal;           // its

  bool may_grow(std::size_t bytes) {
    const std::lock_guard lock(mutex);
    if (memory == nullptr) return true;
    auto fits = memory->add(bytes);
    if (!fits && !refusal) refusal = std::move(fits.error());
    return fits.has_value();
  }
  void went_out(std::size_t place) {
    const std::lock_guard lock(mutex);
    reached.insert(place);
  }
  void came(std::size_t place, Result<net::ClientResponse> response) {
    const std::lock_guard lock(mutex);
    responses[place] = std::move(response);
    if (--left == 0) all_came.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex);
    all_came.wait(lock, [this] { return left == 0; });
  }
};

/// However whoever waits ends: what comes later uses his memory no more.
class Peers::Waiting {
 public:
  explicit Waiting(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    const std::lock_guard lock(exchange_->mutex);
    exchange_->memory = nullptr;
  }

 private:
  const std::shared_ptr<Exchange> exchange_;
};

/// Asks each peer that is not away, all at once. Who has failed once is not asked again by it.
class Peers::Talk final : public read::OpenTalk {
 public:
  explicit Talk(Peers& peers) : peers_(peers) {
    {
      const std::lock_guard lock(peers_.mutex_);
      for (const auto& peer : peers_.peers_) {
        if (!peer->is_away) asked_.push_back(peer.get());
      }
    }
    // Who is away may just have come back, or have begun: whether it has anything is asked now.
    const bool are_all_there = asked_.size() == peers_.peers_.size();
    missing_ = peers_.but_own(are_all_there ? peers_.known_sharers() : peers_.look_who_shares());
    is_whole_ = missing_.has_value() && missing_->empty();
  }

  Result<read::OpenAnswer> ask(const CustomerId& customer, const read::OpenQuestion& question,
                               lanes::AnswerMemory& memory) override {
    read::OpenAnswer all{{}, question.series.size()};
    if (asked_.empty()) return all;
    const lanes::ScratchMemory scratch(memory);
    auto replies = peers_.exchange(asked_, customer.text(), encode_question(question), &memory);
    if (!replies) return tl::unexpected<Error>(replies.error());
    const auto own = peers_.sharing_.own();
    std::vector<Peer*> still;
    std::set<store::SharingNumber> answered;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      auto& reply = (*replies)[i];
      auto answer = reply ? parse_answer(reply->body, question) : forward(reply);
      if (reply && !answer) peers_.count_failure(*asked_[i]);
      if (!answer) continue;
      if (own && reply->number == own) continue;  // this instance itself: known already
      still.push_back(asked_[i]);
      if (reply->number) answered.insert(*reply->number);
      all.series = std::min(all.series, answer->series);
      std::move(answer->rows.begin(), answer->rows.end(), std::back_inserter(all.rows));
      // Parsed rows stand beside the text that they came in.
      if (auto fits = memory.add(reply->body.size()); !fits) return forward(fits);
    }
    asked_ = std::move(still);
    note(answered);
    return all;
  }

  bool lacks_some() const override { return !is_whole_; }

 private:
  // Each time all of them have to be among those who answer.
  void note(const std::set<store::SharingNumber>& answered) {
    is_whole_ = missing_.has_value() &&
                std::includes(answered.begin(), answered.end(), missing_->begin(), missing_->end());
  }

  Peers& peers_;
  std::optional<std::set<store::SharingNumber>> missing_;
  std::vector<Peer*> asked_;
  bool is_whole_ = false;
};

Peers::Peers(const PeerSettings& settings, const std::string& token, Sharing sharing)
    : settings_(settings),
      bearer_("Bearer " + token),
      sharing_(std::move(sharing)),
      client_(net::Client::create({})) {
  for (const std::string& url : settings_.urls) peers_.push_back(std::make_unique<Peer>(url));
  look();
  looker_ = std::thread([this] { run(); });
}

Peers::~Peers() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  client_->close();
  if (looker_.joinable()) looker_.join();
}

std::unique_ptr<read::OpenTalk> Peers::begin() { return std::make_unique<Talk>(*this); }

net::ClientRequest Peers::request_of(const Peer& peer, const std::string& customer,
                                     const std::string& body) const {
  net::ClientRequest request;
  request.method = "POST";
  request.url = peer.url + std::string(kOpenPath);
  request.headers.add("authorization", bearer_);
  request.headers.add("content-type", kOpenContentType);
  if (!customer.empty()) request.headers.add(api::kCustomerHeader, customer);
  request.body = body;
  request.timeout = settings_.patience;
  if (request.url.starts_with("https:")) request.tls = settings_.tls;
  return request;
}

// Waits for all of them: what each may still tell uses the memory of who waits.
Result<Peers::Replies> Peers::exchange(const std::vector<Peer*>& peers, const std::string& customer,
                                       const std::string& body, lanes::AnswerMemory* memory) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->left = peers.size();
  exchange->responses.resize(peers.size());
  exchange->memory = memory;
  const Waiting waiting(exchange);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    net::ClientRequest request = request_of(*peers[i], customer, body);
    request.response_bytes_max = memory == nullptr ? kLookBytesMax : kAnswerBytesMax;
    request.may_grow = [exchange](std::size_t bytes) { return exchange->may_grow(bytes); };
    request.on_sent = [exchange, i] { exchange->went_out(i); };
    client_->send(std::move(request), [exchange, i](Result<net::ClientResponse> response) {
      exchange->came(i, std::move(response));
    });
  }
  exchange->wait();
  if (exchange->refusal) return tl::unexpected<Error>(*exchange->refusal);
  std::vector<Result<Reply>> replies;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    auto& response = *exchange->responses[i];
    // Of one that timed out, the question may only have waited for those before it.
    if (!response && response.error().code == ErrorCode::kUnavailable &&
        !exchange->reached.contains(i)) {
      response.error().code = ErrorCode::kNotFound;
    }
    replies.push_back(reply_of(std::move(response)));
    note(*peers[i], replies.back(), memory == nullptr);
  }
  return replies;
}

// kUnavailable where it may answer the next one, kNotFound where nobody takes a connection, another
// code where it seems to answer nobody for now.
Result<Peers::Reply> Peers::reply_of(Result<net::ClientResponse> response) {
  if (!response) {
    ErrorCode code = ErrorCode::kDeadline;
    if (response.error().code == ErrorCode::kNotFound) code = ErrorCode::kNotFound;
    if (response.error().code == ErrorCode::kTooLarge) code = ErrorCode::kUnavailable;  // that one
    return fail(code, words_of(std::move(response.error().message)));
  }
  if (response->status != kOk) {
    constexpr int kTooManyRequests = 429;
    constexpr int kServerErrors = 500;
    const bool passes = response->status == kTooManyRequests || response->status >= kServerErrors;
    return fail(passes ? ErrorCode::kUnavailable : ErrorCode::kInvalid,
                fmt::format("it answers {}: {}", response->status, words_of(response->body)));
  }
  return Reply{number_in(response->headers), std::move(response->body)};
}

void Peers::note(Peer& peer, const Result<Reply>& reply, bool is_look) {
  const std::lock_guard lock(mutex_);
  if (reply) {
    peer.number = reply->number;
  } else {
    ++peer.failures;
    // Who refuses one customer for what that one holds answers the others.
    if (reply.error().code == ErrorCode::kUnavailable) return;
    // A refused connection says nothing of what was asked.
    if (!is_look && reply.error().code != ErrorCode::kNotFound) {
      is_look_wanted_ = true;
      wake_.notify_all();
      return;
    }
  }
  if (peer.is_away == !reply.has_value()) return;
  peer.is_away = !reply.has_value();
  if (reply) {
    service::log_info("another instance answers again for what it has open", {{"peer", peer.url}});
    return;
  }
  service::log_warn(
      "another instance does not answer for what it has open: answers lack it, and say so until it "
      "does or is taken over",
      {{"peer", peer.url}, {"why", reply.error().message}});
}

void Peers::count_failure(Peer& peer) {
  const std::lock_guard lock(mutex_);
  ++peer.failures;
}

void Peers::look() {
  std::vector<Peer*> all;
  for (const auto& peer : peers_) all.push_back(peer.get());
  (void)look_who_shares();  // else what was known before
  const auto replies = exchange(all, "", encode_question({}), nullptr);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; replies && i < all.size(); ++i) {
    if (!(*replies)[i]) all[i]->number.reset();  // of nobody's memory: it answers nothing at all
  }
}

Peers::Sharers Peers::look_who_shares() {
  auto all = sharing_.all();
  if (!all) return std::nullopt;
  const std::lock_guard lock(mutex_);
  all_ = *all;
  return *std::move(all);
}

Peers::Sharers Peers::known_sharers() const {
  const std::lock_guard lock(mutex_);
  return all_;
}

void Peers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_for(lock, kLookInterval, [this] { return is_stopping_ || is_look_wanted_; });
    if (is_stopping_) return;
    is_look_wanted_ = false;
    lock.unlock();
    contain_faults("storage: a look for other instances", [this] { look(); });
    lock.lock();
  }
}

std::optional<std::set<store::SharingNumber>> Peers::but_own(const Sharers& all) const {
  if (!all) return std::nullopt;
  std::set<store::SharingNumber> others(all->begin(), all->end());
  if (const auto own = sharing_.own()) others.erase(*own);
  return others;
}

bool Peers::lacks_some() const {
  auto missing = but_own(known_sharers());
  if (!missing) return true;
  const std::lock_guard lock(mutex_);
  for (const auto& peer : peers_) {
    if (!peer->is_away && peer->number) missing->erase(*peer->number);
  }
  return !missing->empty();
}

std::vector<PeerState> Peers::states() const {
  std::vector<PeerState> states;
  const std::lock_guard lock(mutex_);
  for (const auto& peer : peers_) {
    states.push_back({peer->url, !peer->is_away && peer->number.has_value(), peer->failures});
  }
  return states;
}

}  // namespace vigia::storage::peers
