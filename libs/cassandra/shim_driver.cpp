// The real driver: the crate behind vigia_cassandra.h, its handles owned.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/cassandra/driver.hpp"
#include "libs/cassandra/failure_codes.hpp"
#include "shims/cassandra/vigia_cassandra.h"

namespace vigia::cassandra {
namespace {

struct FreeAnswer {
  void operator()(vigia_cassandra_answer* answer) const { vigia_cassandra_answer_free(answer); }
};
using Answer = std::unique_ptr<vigia_cassandra_answer, FreeAnswer>;
struct FreeStatement {
  void operator()(vigia_cassandra_statement* one) const { vigia_cassandra_statement_free(one); }
};
struct CloseSession {
  void operator()(vigia_cassandra_session* session) const { vigia_cassandra_close(session); }
};

vigia_cassandra_text text_of(std::string_view text) { return {text.data(), text.size()}; }

/// A deadline that is over still gives the driver a millisecond: 0 is not "none".
std::uint32_t milliseconds(Duration duration) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 1, kMax));
}

Result<void> outcome_of(const Answer& answer) {
  const std::uint32_t code = vigia_cassandra_answer_code(answer.get());
  if (code == VIGIA_CASSANDRA_OK) return {};
  const vigia_cassandra_text message = vigia_cassandra_answer_message(answer.get());
  return tl::unexpected<Error>(error_of(code, std::string(message.data, message.size)));
}

Result<Page> page_of(Answer answer) {
  if (auto outcome = outcome_of(answer); !outcome) return forward(outcome);
  const std::size_t columns = vigia_cassandra_answer_columns(answer.get());
  const std::span<const RawCell> cells(vigia_cassandra_answer_cells(answer.get()),
                                       columns * vigia_cassandra_answer_rows(answer.get()));
  const RawCell state = vigia_cassandra_answer_paging_state(answer.get());
  std::string paging_state;
  if (state.size > 0) {
    paging_state.assign(reinterpret_cast<const char*>(state.data),
                        static_cast<std::size_t>(state.size));
  }
  PageMemory memory(answer.release(), [](void* held) {
    vigia_cassandra_answer_free(static_cast<vigia_cassandra_answer*>(held));
  });
  return Page(std::move(memory), cells, columns, std::move(paging_state));
}

/// On the driver's thread, which nothing may be thrown into. `context` is the PageDone that
/// `execute` let go of.
void on_answer(void* context, vigia_cassandra_answer* answer) {
  const std::unique_ptr<PageDone> done(static_cast<PageDone*>(context));
  Result<Page> page = fail(ErrorCode::kInternal, "fault, see log");  // short: asks for no memory
  contain_faults("cassandra: an answer of the driver", [&] { page = page_of(Answer(answer)); });
  contain_faults("cassandra: who waits for an answer", [&] { (*done)(std::move(page)); });
}

class ShimStatement final : public PreparedStatement {
 public:
  explicit ShimStatement(vigia_cassandra_statement* statement) : statement_(statement) {}
  const vigia_cassandra_statement* get() const { return statement_.get(); }

 private:
  std::unique_ptr<vigia_cassandra_statement, FreeStatement> statement_;
};

class ShimDriver final : public Driver {
 public:
  explicit ShimDriver(vigia_cassandra_session* session) : session_(session) {}

  Result<std::unique_ptr<PreparedStatement>> prepare(const StatementSpec& spec,
                                                     Duration deadline) override {
    const vigia_cassandra_statement_spec wanted{
        text_of(spec.cql), static_cast<std::uint32_t>(spec.consistency),
        static_cast<std::uint8_t>(spec.is_idempotent ? 1 : 0), spec.page_rows,
        spec.speculative_after > Duration() ? milliseconds(spec.speculative_after) : 0};
    vigia_cassandra_statement* statement = nullptr;
    const Answer answer(
        vigia_cassandra_prepare(session_.get(), &wanted, milliseconds(deadline), &statement));
    if (auto outcome = outcome_of(answer); !outcome) return forward(outcome);
    return std::make_unique<ShimStatement>(statement);
  }

  Result<void> run(std::string_view cql, Consistency consistency, Duration deadline) override {
    return outcome_of(Answer(vigia_cassandra_run(session_.get(), text_of(cql),
                                                 static_cast<std::uint32_t>(consistency),
                                                 milliseconds(deadline))));
  }

  void execute(const Execution& request, PageDone done) override {
    const std::vector<RawCell> raw = request.cells.raw();
    const RawCell from{reinterpret_cast<const std::uint8_t*>(request.paging_state.data()),
                       static_cast<std::int32_t>(request.paging_state.size())};
    const vigia_cassandra_request wanted{raw.data(), raw.size(), from, text_of(request.owner),
                                         milliseconds(request.deadline)};
    auto context = std::make_unique<PageDone>(std::move(done));
    // Each driver runs its own statements alone.
    const auto& statement = static_cast<const ShimStatement&>(request.statement);
    vigia_cassandra_execute(session_.get(), statement.get(), &wanted, on_answer, context.release());
  }

  SecondRequestCounts second_requests() const override {
    const auto counts = vigia_cassandra_second_requests(session_.get());
    return {counts.sent, counts.answered_first, counts.held_back};
  }

 private:
  std::unique_ptr<vigia_cassandra_session, CloseSession> session_;
};

}  // namespace

bool has_driver() { return true; }

Result<std::unique_ptr<Driver>> connect(const ConnectionSettings& settings) {
  std::vector<vigia_cassandra_text> points;
  points.reserve(settings.contact_points.size());
  for (const std::string& point : settings.contact_points) points.push_back(text_of(point));
  const TlsFiles files = settings.tls.value_or(TlsFiles{});
  const vigia_cassandra_settings wanted{
      points.data(),
      points.size(),
      text_of(settings.datacenter),
      text_of(settings.user),
      text_of(settings.password),
      static_cast<std::uint8_t>(settings.tls ? 1 : 0),
      text_of(files.ca_file),
      text_of(files.cert_file),
      text_of(files.key_file),
      settings.threads,
      milliseconds(settings.connect_timeout),
      settings.second_requests_max,
  };
  vigia_cassandra_session* session = nullptr;
  const Answer answer(vigia_cassandra_connect(&wanted, &session));
  if (auto outcome = outcome_of(answer); !outcome) return forward(outcome);
  return std::make_unique<ShimDriver>(session);
}

}  // namespace vigia::cassandra
