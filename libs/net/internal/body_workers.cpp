#include "libs/net/internal/body_workers.hpp"

#include <algorithm>

#include "libs/net/compression.hpp"
#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

namespace {

constexpr int kUnsupportedMediaType = 415;
// As many as there are cores for one owner, and one for the others.
constexpr std::size_t kThreadsMin = 2;
constexpr std::size_t kThreadsMax = 5;
constexpr auto kShortRetryAfter = std::chrono::seconds(5);

std::size_t threads_for_cores() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency() + 1UL, kThreadsMin,
                                 kThreadsMax);
}

}  // namespace

Error no_room_for_large() {
  return {ErrorCode::kUnavailable, "memory is short: only small requests are taken now",
          kShortRetryAfter};
}

Response refuse_packed(ServerCore& core, const RequestHead& head, const Error& error,
                       std::string_view encoding) {
  core.requests_refused.fetch_add(1, std::memory_order_relaxed);
  Response response = core.handler.refuse(head, error);
  const bool is_known =
      encoding.empty() || encoding == "gzip" || encoding == "zstd" || encoding == "deflate";
  if (!is_known) {
    response.status = kUnsupportedMediaType;
    response.headers.add("accept-encoding", "gzip, zstd, deflate");
    response.grpc_code = GrpcCode::kUnimplemented;
  }
  return response;
}

BodyWorkers::BodyWorkers(ServerCore& core) : core_(core), threads_max_(threads_for_cores()) {}

void BodyWorkers::post(LargeRequest large) {
  std::optional<Job> refused;
  Error reason{ErrorCode::kUnavailable, "too many large bodies are waiting"};
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopping_) begin_threads();
    Job job{std::move(large), 0, false};
    job.number = ++last_number_;
    job.is_single = job.large.request.body.size() > kSeveralBytesMax;
    const auto lane = lanes_.find(job.large.request.owner);
    const std::size_t own = lane == lanes_.end() ? 0 : lane->second.waiting();
    if (threads_.empty()) {
      refused = std::move(job);
      reason = no_room_for_large();
    } else if (is_stopping_ || own >= kOwnWaitingMax) {
      refused = std::move(job);
    } else if (waiting_ >= kWaitingMax && !(refused = make_room(job.large.request.owner))) {
      refused = std::move(job);
    } else {
      put(std::move(job));
    }
  }
  changed_.notify_one();
  if (refused) refuse(std::move(refused->large), reason);
}

void BodyWorkers::refuse(LargeRequest large, const Error& error) {
  large.responder.send(refuse_packed(core_, large.request, error, large.encoding));
}

/// Takes the last job of the longest lane away. Nothing where that lane is the newcomer's own.
std::optional<BodyWorkers::Job> BodyWorkers::make_room(const std::string& owner) {
  const auto longest = std::max_element(lanes_.begin(), lanes_.end(), [](auto& a, auto& b) {
    return a.second.waiting() < b.second.waiting();
  });
  if (longest == lanes_.end() || longest->first == owner) return std::nullopt;
  Lane& lane = longest->second;
  const bool is_single =
      lane.several.empty() ||
      (!lane.single.empty() && lane.single.back().number > lane.several.back().number);
  std::deque<Job>& queue = is_single ? lane.single : lane.several;
  Job job = std::move(queue.back());
  queue.pop_back();
  --waiting_;
  if (lane.waiting() == 0) std::erase(turns_, longest->first);
  if (lane.is_unused()) lanes_.erase(longest);
  return job;
}

void BodyWorkers::put(Job job) {
  const std::string owner = job.large.request.owner;
  Lane& lane = lanes_[owner];
  const bool is_first = lane.waiting() == 0;
  std::deque<Job>& queue = job.is_single ? lane.single : lane.several;
  try {
    if (is_first) turns_.push_back(owner);
    // One that turned out to be larger than it looked keeps its place.
    auto place = queue.end();
    while (place != queue.begin() && std::prev(place)->number > job.number) --place;
    queue.insert(place, std::move(job));
  } catch (...) {
    if (is_first) std::erase(turns_, owner);
    if (lane.is_unused()) lanes_.erase(owner);
    throw;
  }
  ++waiting_;
}

void BodyWorkers::begin_threads() noexcept {
  if (threads_.size() == threads_max_) return;
  contain_faults("making threads for large bodies", [this] {
    while (threads_.size() < threads_max_) threads_.emplace_back([this] { run(); });
  });
}

/// The queue whose front is next; null where nothing of the lane may begin now.
std::deque<BodyWorkers::Job>* BodyWorkers::next_of(Lane& lane) {
  // Of those that are there: an only one has to do.
  if (lane.running > 0 && lane.running + 1 >= threads_.size()) return nullptr;
  const bool may_be_single = !lane.single.empty() && !is_single_running_;
  if (lane.several.empty()) return may_be_single ? &lane.single : nullptr;
  const bool is_single_older =
      may_be_single && lane.single.front().number < lane.several.front().number;
  return is_single_older ? &lane.single : &lane.several;
}

/// The next job of the owner whose turn it is and of which one may begin. Nothing here may throw:
/// it counts what only the end of the job gives back.
std::optional<BodyWorkers::Job> BodyWorkers::take() noexcept {
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    auto& place = *lanes_.find(*turn);
    Lane& lane = place.second;
    std::deque<Job>* queue = next_of(lane);
    if (queue == nullptr) continue;
    std::optional<Job> job = std::move(queue->front());
    queue->pop_front();
    --waiting_;
    ++lane.running;
    job->lane = &place;
    if (job->is_single) is_single_running_ = true;
    std::rotate(turn, turn + 1, turns_.end());
    if (lane.waiting() == 0) turns_.pop_back();
    return job;
  }
  return std::nullopt;
}

void BodyWorkers::stop() {
  std::unordered_map<std::string, Lane> dropped;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    dropped.swap(lanes_);
    turns_.clear();
    waiting_ = 0;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void BodyWorkers::run() {
  for (bool goes_on = true; goes_on;) {
    contain_faults("a worker's turn", [&] { goes_on = turn(); });
  }
}

void BodyWorkers::end(std::pair<const std::string, Lane>& lane, bool was_single) noexcept {
  if (was_single) is_single_running_ = false;
  if (is_stopping_) return;  // the lanes are gone from the table
  --lane.second.running;
  if (lane.second.is_unused()) lanes_.erase(lanes_.find(lane.first));
}

/// Waits for one job and does it. False where the server ends.
bool BodyWorkers::turn() {
  std::unique_lock lock(mutex_);
  std::optional<Job> job;
  changed_.wait(lock, [&] { return is_stopping_ || (job = take()); });
  if (!job) return false;
  auto& lane = *job->lane;  // stays while it counts this job
  const bool was_single = job->is_single;
  lock.unlock();
  bool is_done = true;
  // Where it throws, the job goes, and its responder answers 500.
  contain_faults("a large body", [&] { is_done = was_single ? work_alone(*job) : work(*job); });
  if (is_done) job.reset();
  lock.lock();
  // Before its lane may go.
  if (job && !is_stopping_) contain_faults("a large body", [&] { put(std::move(*job)); });
  end(lane, was_single);
  // This thread takes one of what may begin now; there may be another.
  if (!turns_.empty()) changed_.notify_one();
  return !is_stopping_;
}

Result<std::string> BodyWorkers::unpack(const Job& job) const {
  const std::size_t bytes_max = core_.settings.body_bytes_max;
  return decompress(job.large.encoding, job.large.request.body,
                    job.is_single ? bytes_max : std::min(bytes_max, kSeveralBytesMax));
}

/// Such bodies take memory many times over, so they go one after the other, be they of several
/// servers, and not at all while there is none.
bool BodyWorkers::work_alone(Job& job) {
  const std::lock_guard alone(core_.budgets->large_body);
  if (!core_.budgets->bodies.is_shut()) return work(job);
  LargeRequest& large = job.large;
  refuse(std::move(large), no_room_for_large());
  return true;
}

/// False where the body turned out to be one that is worked on alone.
bool BodyWorkers::work(Job& job) {
  LargeRequest& large = job.large;
  CostMeter meter(core_.body_costs, large.request.owner, !large.encoding.empty(),
                  large.request.body.size(), WorkPlace::kWorker);
  if (!large.encoding.empty()) {
    Result<std::string> plain = unpack(job);
    const bool may_be_larger = !job.is_single && core_.settings.body_bytes_max > kSeveralBytesMax;
    if (!plain && plain.error().code == ErrorCode::kTooLarge && may_be_larger) {
      job.is_single = true;
      return false;
    }
    if (!plain) {
      large.responder.send(refuse_packed(core_, large.request, plain.error(), large.encoding));
      meter.note();
      return true;
    }
    large.request.body = std::move(*plain);
    large.body_bytes.set(0);
  }
  core_.give(std::move(large.request), std::move(large.responder));
  meter.note();
  return true;
}

}  // namespace vigia::net::internal
