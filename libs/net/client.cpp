#include "libs/net/client.hpp"

#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>
#include <sys/socket.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/net/internal/grpc_reply.hpp"
#include "libs/net/internal/transfer.hpp"

namespace vigia::net {

namespace {

using internal::Transfer;

constexpr std::size_t kTransfersMax = 10'000;
constexpr int kPollMs = 1000;
constexpr long kConnectionsKept = 64;
constexpr long kStreamsMax = 100;

class CurlClient final : public Client {
 public:
  explicit CurlClient(ClientSettings settings, bool makes_plain_calls = false)
      : settings_(std::move(settings)),
        makes_plain_calls_(makes_plain_calls),
        multi_(curl_multi_init()) {
    CHECK(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(settings_.connections_per_host_max));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kConnectionsKept);
    curl_multi_setopt(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, kStreamsMax);
    thread_ = std::thread([this] { run(); });
  }

  ~CurlClient() override {
    CurlClient::close();
    plain_calls_.reset();
    curl_multi_cleanup(multi_);
  }

  void close() override {
    CurlClient* calls = nullptr;
    {
      const std::lock_guard lock(mutex_);
      is_closing_ = true;
      calls = plain_calls_.get();
    }
    if (calls != nullptr) calls->close();
    curl_multi_wakeup(multi_);
    if (thread_.joinable()) thread_.join();
  }

  std::uint64_t send(ClientRequest request, Task<void(Result<ClientResponse>)> done) override {
    return post(std::make_unique<Transfer>(std::move(request), false, std::move(done)));
  }

  void cancel(std::uint64_t request) override {
    {
      const std::lock_guard lock(mutex_);
      if (is_closing_) return;
      cancelled_.push_back(request);
    }
    curl_multi_wakeup(multi_);
  }

  void resume(std::uint64_t request) override {
    {
      const std::lock_guard lock(mutex_);
      if (is_closing_) return;
      resumed_.push_back(request);
    }
    curl_multi_wakeup(multi_);
  }

  void call(ClientRequest request, std::string_view compression,
            Task<void(Result<GrpcReply>)> done) override {
    if (CurlClient* const calls = plain_calls(request.url); calls != nullptr) {
      calls->call(std::move(request), compression, std::move(done));
      return;
    }
    const std::size_t bytes_max = request.response_bytes_max;
    auto framed = internal::grpc_request(std::move(request), compression);
    const bool is_framed = framed.has_value();
    auto transfer = std::make_unique<Transfer>(
        is_framed ? std::move(*framed) : ClientRequest{}, true,
        [done = std::move(done), bytes_max](Result<ClientResponse> response) {
          if (response) {
            done(internal::grpc_reply(std::move(*response), bytes_max));
          } else {
            done(forward(response));
          }
        });
    post(std::move(transfer), is_framed ? std::nullopt : std::optional(std::move(framed.error())));
  }

 private:
  struct Waiting {
    std::unique_ptr<Transfer> transfer;
    std::optional<Error> fault;  // it ends with this at once
    std::uint64_t number = 0;
  };

  /// Who makes calls in clear text: curl would take a kept connection that speaks HTTP/1.1 for one
  /// of theirs, so they have connections, and a thread, of their own. Null: this one does.
  CurlClient* plain_calls(std::string_view url) {
    if (makes_plain_calls_ || !url.starts_with("http://")) return nullptr;
    const std::lock_guard lock(mutex_);
    if (is_closing_) return nullptr;
    if (!plain_calls_) plain_calls_ = std::make_unique<CurlClient>(settings_, true);
    return plain_calls_.get();
  }

  std::uint64_t post(std::unique_ptr<Transfer> transfer,
                     std::optional<Error> fault = std::nullopt) {
    std::uint64_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = ++last_number_;
      if (!is_closing_) waiting_.push_back({std::move(transfer), std::move(fault), number});
    }
    if (transfer) {
      transfer->fail_with(closing());
    } else {
      curl_multi_wakeup(multi_);
    }
    return number;
  }

  void run() {
    for (bool goes_on = true; goes_on;) {
      contain_faults("a turn of the client", [&] { goes_on = turn(); });
    }
    for (auto& [handle, under_way] : transfers_) {
      curl_multi_remove_handle(multi_, handle);
      under_way.transfer->fail_with(closing());
    }
    transfers_.clear();
    handles_.clear();
    std::vector<Waiting> left;
    {
      const std::lock_guard lock(mutex_);
      left.swap(waiting_);
    }
    // Without the lock: who is told of the end may send again, and is told at once.
    for (Waiting& each : left) each.transfer->fail_with(closing());
  }

  /// False where the client is to end.
  bool turn() {
    if (!take_waiting()) return false;
    int running = 0;
    curl_multi_perform(multi_, &running);
    finish_transfers();
    curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    return true;
  }

  static Error closing() {
    return {ErrorCode::kUnavailable, "the client is closing", std::nullopt};
  }

  /// False where the client is to end.
  bool take_waiting() {
    std::vector<Waiting> taken;
    std::vector<std::uint64_t> cancelled;
    std::vector<std::uint64_t> resumed;
    {
      const std::lock_guard lock(mutex_);
      if (is_closing_) return false;
      taken.swap(waiting_);
      cancelled.swap(cancelled_);
      resumed.swap(resumed_);
    }
    for (Waiting& each : taken) {
      const bool is_good = contain_faults("the begin of a request", [&] { begin(each); });
      if (!is_good && each.transfer) each.transfer->fail_with(not_begun());
    }
    // After the begin of all that were sent before.
    for (const std::uint64_t number : cancelled) end_cancelled(number);
    for (const std::uint64_t number : resumed) go_on(number);
    return true;
  }

  void end_cancelled(std::uint64_t number) {
    const auto found = handles_.find(number);
    if (found == handles_.end()) return;  // it is over
    const std::unique_ptr<Transfer> transfer = take(found->second);
    transfer->fail_with({ErrorCode::kUnavailable, "the request was cancelled", std::nullopt});
  }

  /// Offers what waits at once, and reads on.
  void go_on(std::uint64_t number) {
    const auto found = handles_.find(number);
    // What curl says is the transfer's end, which it tells as any other.
    if (found != handles_.end()) (void)curl_easy_pause(found->second, CURLPAUSE_CONT);
  }

  /// Out of curl's hands: one that is not over breaks off.
  std::unique_ptr<Transfer> take(CURL* handle) {
    const auto entry = transfers_.find(handle);
    CHECK(entry != transfers_.end());
    std::unique_ptr<Transfer> transfer = std::move(entry->second.transfer);
    handles_.erase(entry->second.number);
    transfers_.erase(entry);
    curl_multi_remove_handle(multi_, handle);
    return transfer;
  }

  static Error not_begun() {
    return {ErrorCode::kUnavailable, "the request could not be begun", std::nullopt};
  }

  void begin(Waiting& each) {
    if (!each.fault && transfers_.size() >= kTransfersMax) {
      each.fault = Error{ErrorCode::kUnavailable, "too many requests are on their way"};
    }
    if (!each.fault) {
      if (auto result = each.transfer->begin(settings_); !result) each.fault = result.error();
    }
    if (each.fault) {
      each.transfer->fail_with(std::move(*each.fault));
      return;
    }
    CURL* handle = each.transfer->handle();
    transfers_[handle] = {std::move(each.transfer), each.number};
    handles_[each.number] = handle;
    CHECK(curl_multi_add_handle(multi_, handle) == CURLM_OK);
  }

  /// A connection that gave no answer in time may have gone without a word, as behind a load
  /// balancer that has forgotten it. HTTP/2 would be kept and chosen again for ever: shut down,
  /// curl finds it closed. What else is on it ends with kUnavailable.
  static void leave_connection(CURL* handle) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &socket);
    if (socket != CURL_SOCKET_BAD) ::shutdown(socket, SHUT_RDWR);
  }

  void finish_transfers() {
    int left = 0;
    std::set<std::string, std::less<>> connecting;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CURL* const handle = message->easy_handle;
      if (code == CURLE_OPERATION_TIMEDOUT) leave_connection(handle);
      if (!try_again(handle, code, connecting)) take(handle)->finish(code);
    }
    if (!connecting.empty()) curl_multi_wakeup(multi_);
  }

  /// Of calls that found no connection to share one makes it, and the others wait for that.
  bool try_again(CURL* handle, CURLcode code, std::set<std::string, std::less<>>& connecting) {
    const auto found = transfers_.find(handle);
    CHECK(found != transfers_.end());
    Transfer& transfer = *found->second.transfer;
    if (!transfer.lacks_connection(code)) return false;
    const bool is_first = connecting.emplace(transfer.authority()).second;
    if (!transfer.look_again() || is_first) transfer.connect();
    curl_multi_remove_handle(multi_, handle);
    CHECK(curl_multi_add_handle(multi_, handle) == CURLM_OK);
    return true;
  }

  const ClientSettings settings_;
  const bool makes_plain_calls_;
  CURLM* multi_;
  struct UnderWay {
    std::unique_ptr<Transfer> transfer;
    std::uint64_t number = 0;
  };
  // Both of the thread alone.
  std::unordered_map<CURL*, UnderWay> transfers_;
  std::unordered_map<std::uint64_t, CURL*> handles_;  // by number
  std::mutex mutex_;
  std::vector<Waiting> waiting_;
  std::vector<std::uint64_t> cancelled_;
  std::vector<std::uint64_t> resumed_;
  std::uint64_t last_number_ = 0;
  bool is_closing_ = false;
  std::unique_ptr<CurlClient> plain_calls_;  // from the first of them on
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Client> Client::create(ClientSettings settings) {
  static const bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(is_ready);
  return std::make_unique<CurlClient>(std::move(settings));
}

Result<ClientResponse> Client::fetch(ClientRequest request) {
  // Shared with the callback, which the client may still hold when the wait is over.
  auto promise = std::make_shared<std::promise<Result<ClientResponse>>>();
  auto response = promise->get_future();
  send(std::move(request),
       [promise](Result<ClientResponse> result) { promise->set_value(std::move(result)); });
  return response.get();
}

}  // namespace vigia::net
