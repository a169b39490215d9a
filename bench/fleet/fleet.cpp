// vigia-bench-fleet: many agents at one collector, each on a connection of its own, each with its
// own series, a request each interval; or all at once with a backlog. A refused request is sent
// again, as an agent does, and whatever was not taken in the end is told.
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/fleet/agent.hpp"
#include "bench/fleet/node_request.hpp"
#include "libs/base/check.hpp"

namespace vigia::bench {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kConnectsAtOnce = 200;  // begun in a round of the loop

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 4317;
  std::size_t agents = 5000;
  std::size_t customers = 1000;
  std::size_t series = 1500;  ///< of each agent
  std::size_t interval_s = 15;
  std::size_t seconds = 60;  ///< of sending; with a backlog: at most until it is sent
  std::size_t backlog = 0;   ///< requests that each agent has waiting at first, and nothing else
};

struct Totals {
  std::uint64_t accepted = 0;  ///< requests
  std::uint64_t partly = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t broken = 0;
  std::uint64_t connections = 0;
  std::uint64_t late = 0;  ///< begun over an interval after they were due
  std::vector<float> taken_ms;
};

struct Member {
  std::unique_ptr<Agent> agent;
  std::size_t number = 0;
  std::size_t due_ticks = 0;  ///< requests that are to be sent
  std::size_t done_ticks = 0;
  std::size_t first_tick = 0;
  bool has_unanswered = false;  ///< one was sent and is to be sent again
  Steady::time_point begun{};
};

enum class Due : std::uint8_t { kTick, kSendAgain, kConnect };
struct Timer {
  Steady::time_point at;
  std::size_t member;
  Due due;
  bool operator>(const Timer& other) const { return at > other.at; }
};

class Fleet {
 public:
  explicit Fleet(const Settings& settings)
      : settings_(settings), request_(settings.series), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    CHECK(epoll_ >= 0);
    const auto now_s = static_cast<std::size_t>(
        duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
    first_tick_ = now_s / settings.interval_s - settings.backlog;
    for (std::size_t i = 0; i < settings.agents; ++i) members_.push_back(make_member(i));
  }
  ~Fleet() { ::close(epoll_); }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void run() {
    connect_all();
    begin_ = Steady::now();
    const auto end = begin_ + std::chrono::seconds(settings_.seconds);
    for (Member& member : members_) {
      const auto share = static_cast<double>(member.number) / static_cast<double>(members_.size());
      const auto wait = settings_.backlog > 0
                            ? nanoseconds(0)
                            : nanoseconds(static_cast<std::int64_t>(
                                  share * 1e9 * static_cast<double>(settings_.interval_s)));
      timers_.push({begin_ + wait, member.number, Due::kTick});
    }
    while (Steady::now() < end && !(settings_.backlog > 0 && is_all_done())) turn(end);
    sending_ended_ = Steady::now();
    is_ending_ = true;
    const auto patience = sending_ended_ + std::chrono::seconds(30);
    while (open_requests() > 0 && Steady::now() < patience) turn(patience);
  }

  void print() const {
    std::vector<float> times = totals_.taken_ms;
    std::sort(times.begin(), times.end());
    const auto at = [&times](double share) {
      return times.empty()
                 ? 0.F
                 : times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
    };
    rusage own{};
    ::getrusage(RUSAGE_SELF, &own);
    const auto seconds_of = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    const double seconds = duration<double>(sending_ended_ - begin_).count();
    fmt::print(R"({{"points": {}, "seconds": {:.1f}, "requests": {}, "partly": {}, "refused": {}, )"
               R"("failed": {}, "broken": {}, "late": {}, "unanswered": {}, "left": {}, )"
               R"("connections": {}, "p50_ms": {:.1f}, "p99_ms": {:.1f}, "max_ms": {:.1f}, )"
               R"("own_cpu": {:.1f}}})"
               "\n",
               (totals_.accepted + totals_.partly) * settings_.series, seconds, totals_.accepted,
               totals_.partly, totals_.refused, totals_.failed, totals_.broken, totals_.late,
               open_requests(), left(), totals_.connections, at(0.5), at(0.99), at(1),
               seconds_of(own.ru_utime) + seconds_of(own.ru_stime));
  }

  bool is_sound() const { return totals_.failed + totals_.partly + open_requests() + left() == 0; }

 private:
  Member make_member(std::size_t number) const {
    const std::size_t customer = number % settings_.customers;
    AgentAddress address{settings_.host, settings_.port,
                         fmt::format("127.1.{}.{}", customer / 250, 1 + customer % 250),
                         "token-of-" + customer_name(customer)};
    Member member;
    member.agent = std::make_unique<Agent>(std::move(address));
    member.number = number;
    member.due_ticks = settings_.backlog;
    return member;
  }

  // In steps, so that no queue of the system overflows; a backlog begins with all of them.
  void connect_all() {
    std::size_t begun = 0;
    while (begun < members_.size()) {
      for (std::size_t i = 0; i < kConnectsAtOnce && begun < members_.size(); ++i) {
        connect(members_[begun++]);
      }
      const auto until = Steady::now() + milliseconds(20);
      while (Steady::now() < until) turn(until);
    }
  }

  void connect(Member& member) {
    const int socket = member.agent->connect();
    if (socket < 0) return wait(member, Due::kConnect, 1000);
    ++totals_.connections;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u64 = member.number;
    CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0);
  }

  void wait(Member& member, Due due, int about_ms) {
    std::uniform_int_distribution<int> spread(about_ms / 2, about_ms + about_ms / 2);
    timers_.push({Steady::now() + milliseconds(spread(random_)), member.number, due});
  }

  void turn(Steady::time_point until) {
    run_timers();
    const auto next = timers_.empty() ? until : std::min(until, timers_.top().at);
    const auto left = duration_cast<milliseconds>(next - Steady::now()).count();
    std::array<epoll_event, 256> events;
    const int wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 100));
    const int ready = ::epoll_wait(epoll_, events.data(), events.size(), wait_ms);
    for (int i = 0; i < ready; ++i) {
      Member& member = members_[events[static_cast<std::size_t>(i)].data.u64];
      serve(member);
    }
  }

  void run_timers() {
    while (!timers_.empty() && timers_.top().at <= Steady::now()) {
      const Timer timer = timers_.top();
      timers_.pop();
      Member& member = members_[timer.member];
      if (timer.due == Due::kConnect) connect(member);
      if (timer.due == Due::kTick) on_tick(member, timer.at);
      send_next(member);
    }
  }

  void on_tick(Member& member, Steady::time_point at) {
    if (is_ending_ || settings_.backlog > 0) return;
    if (member.due_ticks > member.done_ticks) ++totals_.late;
    ++member.due_ticks;
    timers_.push({at + std::chrono::seconds(settings_.interval_s), member.number, Due::kTick});
  }

  void send_next(Member& member) {
    Agent& agent = *member.agent;
    if (!agent.is_open() || agent.is_sending()) return;
    const auto ended = [this, &member](Outcome outcome) { on_ended(member, outcome); };
    if (member.has_unanswered) {
      member.begun = Steady::now();
      agent.send_again(ended);
    } else if (member.due_ticks > member.done_ticks) {
      member.begun = Steady::now();
      member.has_unanswered = true;
      agent.send(message_of(member), ended);
    } else {
      return;
    }
    serve(member);
  }

  std::string message_of(const Member& member) {
    const std::uint64_t tick = first_tick_ + member.done_ticks;
    const std::uint64_t time_ns = tick * settings_.interval_s * 1'000'000'000U;
    if (time_ns != time_ns_) request_.set_time(time_ns);
    time_ns_ = time_ns;
    std::string message;
    request_.append_message(member.number, member.number % settings_.customers, message);
    return message;
  }

  void on_ended(Member& member, Outcome outcome) {
    switch (outcome) {
      case Outcome::kAccepted:
        ++totals_.accepted;
        break;
      case Outcome::kPartly:
        ++totals_.partly;
        break;
      case Outcome::kFailed:
        ++totals_.failed;
        break;
      case Outcome::kRefused:
        ++totals_.refused;
        return wait(member, Due::kSendAgain, 1000);
      case Outcome::kBroken:
        ++totals_.broken;
        return;
    }
    totals_.taken_ms.push_back(duration<float, std::milli>(Steady::now() - member.begun).count());
    member.has_unanswered = false;
    ++member.done_ticks;
    if (settings_.backlog > 0) timers_.push({Steady::now(), member.number, Due::kSendAgain});
  }

  void serve(Member& member) {
    Agent& agent = *member.agent;
    if (!agent.is_open()) return;
    if (!agent.on_ready()) return wait(member, Due::kConnect, 1000);
    epoll_event event{};
    event.events = agent.wants_to_write() ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u64 = member.number;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, agent.socket(), &event);
  }

  std::size_t open_requests() const {
    return static_cast<std::size_t>(
        std::count_if(members_.begin(), members_.end(),
                      [](const Member& member) { return member.has_unanswered; }));
  }
  /// Requests that were due and not even begun.
  std::size_t left() const {
    std::size_t count = 0;
    for (const Member& member : members_) {
      count += member.due_ticks - member.done_ticks - (member.has_unanswered ? 1 : 0);
    }
    return count;
  }
  bool is_all_done() const {
    return totals_.accepted + totals_.partly + totals_.failed ==
           settings_.agents * settings_.backlog;
  }

  const Settings settings_;
  NodeRequest request_;
  const int epoll_;
  std::size_t first_tick_ = 0;
  std::uint64_t time_ns_ = 0;
  std::vector<Member> members_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::mt19937 random_{7};
  Totals totals_;
  Steady::time_point begin_{};
  Steady::time_point sending_ended_{};
  bool is_ending_ = false;
};

Settings read_arguments(int count, char** arguments) {
  Settings settings;
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < count; i += 2) given[arguments[i]] = arguments[i + 1];
  const auto number = [&given](const char* name, std::size_t fallback) {
    const auto found = given.find(name);
    return found == given.end() ? fallback : static_cast<std::size_t>(std::stoul(found->second));
  };
  if (given.contains("--host")) settings.host = given["--host"];
  settings.port = static_cast<std::uint16_t>(number("--port", settings.port));
  settings.agents = number("--agents", settings.agents);
  settings.customers = number("--customers", settings.customers);
  settings.series = number("--series", settings.series);
  settings.interval_s = number("--interval", settings.interval_s);
  settings.seconds = number("--seconds", settings.seconds);
  settings.backlog = number("--backlog", settings.backlog);
  return settings;
}

int run(int count, char** arguments) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const Settings settings = read_arguments(count, arguments);
  Fleet fleet(settings);
  fleet.run();
  fleet.print();
  return fleet.is_sound() ? 0 : 1;
}

}  // namespace
}  // namespace vigia::bench

int main(int count, char** arguments) { return vigia::bench::run(count, arguments); }
