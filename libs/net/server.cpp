#include "libs/net/server.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "libs/net/internal/loop.hpp"
#include "libs/net/status.hpp"

namespace vigia::net {

namespace {

using internal::Fd;
using internal::Loop;
using internal::ServerCore;
using internal::SocketAddress;

class LoopServer final : public Server {
 public:
  LoopServer(std::unique_ptr<ServerCore> core, std::vector<std::unique_ptr<Loop>> loops,
             SocketAddress address)
      : core_(std::move(core)), loops_(std::move(loops)), address_(address) {
    for (const auto& loop : loops_) loop->start();
  }
  ~LoopServer() override { stop(SystemClock().steady()); }

  std::string address() const override { return address_.text(); }
  std::uint16_t port() const override { return address_.port(); }

  ServerStats stats() const override {
    ServerStats stats;
    stats.connections = core_->connections.load();
    stats.connections_refused = core_->connections_refused.load();
    stats.requests = core_->requests.load();
    stats.requests_refused = core_->requests_refused.load();
    stats.buffered_bytes = core_->budgets->bodies.total();
    stats.head_bytes = core_->budgets->heads.total();
    stats.answer_bytes = core_->budgets->answers.total();
    stats.answers_refused = core_->budgets->answers_refused.load();
    return stats;
  }

  void stop(TimePoint deadline) noexcept override {
    // All are told before any is waited for, so that the deadline is one for all. The workers last:
    // until their deadline the loops wait for what these answer.
    for (const auto& loop : loops_) loop->begin_stop(deadline);
    for (const auto& loop : loops_) loop->join();
    core_->workers.stop();
  }

 private:
  std::unique_ptr<ServerCore> core_;
  std::vector<std::unique_ptr<Loop>> loops_;
  SocketAddress address_;
};

Error named(const std::string& name, Error error) {
  return name.empty() ? std::move(error) : with_context(name, std::move(error));
}

}  // namespace

Response Handler::refuse(const RequestHead& head, const Error& error) {
  return otlp_error(head, error);
}

std::shared_ptr<ServerBudgets> make_budgets(const ServerSettings& settings) {
  return std::make_shared<ServerBudgets>(settings.connections_max, settings.head_bytes_max,
                                         settings.buffered_bytes_max, settings.header_bytes_max,
                                         settings.answer_bytes_max);
}

Result<void> check_proxies(const std::vector<std::string>& entries) {
  auto parsed = internal::TrustedProxies::parse(entries);
  if (!parsed) return forward(parsed);
  return {};
}

Result<std::unique_ptr<Server>> Server::start(ServerSettings settings, Handler& handler) {
  const std::string name = settings.name;
  auto address = internal::parse_address(settings.listen);
  if (!address) return tl::unexpected(named(name, std::move(address.error())));
  const Result<void> is_free = internal::probe_free(*address);
  if (!is_free) return tl::unexpected(named(name, is_free.error()));
  auto core = std::make_unique<ServerCore>(std::move(settings), handler);
  auto proxies = internal::TrustedProxies::parse(core->settings.trusted_proxies);
  if (!proxies)
    return tl::unexpected(named(name, with_context("trusted_proxies", std::move(proxies.error()))));
  core->proxies = std::move(*proxies);
  if (core->settings.tls) {
    auto tls = internal::WatchedTls::open(*core->settings.tls, core->settings.on_tls_read);
    if (!tls) return tl::unexpected(named(name, std::move(tls.error())));
    core->tls = std::move(*tls);
  }
  const std::size_t count = core->settings.loops != 0
                                ? core->settings.loops
                                : std::max(std::thread::hardware_concurrency(), 1U);
  std::vector<std::unique_ptr<Loop>> loops;
  for (std::size_t i = 0; i < count; ++i) {
    Result<Fd> listener = internal::listen_shared(*address);
    if (!listener) return tl::unexpected(named(name, std::move(listener.error())));
    // With port 0 the kernel chooses at the first; the other loops must listen on the same.
    if (i == 0) *address = internal::own_address(listener->get());
    loops.push_back(std::make_unique<Loop>(*core, std::move(*listener)));
  }
  return std::make_unique<LoopServer>(std::move(core), std::move(loops), *address);
}

}  // namespace vigia::net
