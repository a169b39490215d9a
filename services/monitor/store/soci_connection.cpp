#include "services/monitor/store/soci_connection.hpp"

#include <deque>
#include <utility>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "libs/net/form.hpp"
#include "libs/net/host_port.hpp"
#include "services/monitor/store/driver_failures.hpp"

namespace vigia::monitor::store {
namespace {

Error database_error(const std::exception& exception) {
  const std::string_view text = exception.what();
  const bool is_passing = text.find("locked") != std::string_view::npos ||
                          text.find("busy") != std::string_view::npos ||
                          text.find("full") != std::string_view::npos ||
                          text.find("connection") != std::string_view::npos ||
                          text.find("server closed") != std::string_view::npos;
  return Error{is_passing ? ErrorCode::kUnavailable : ErrorCode::kInternal,
               fmt::format("{}{}", kDriverPrefix, text), std::nullopt};
}

// One bound parameter. SOCI keeps references until the statement is done, so it stands still in a
// deque.
struct Bound {
  long long integer = 0;
  std::string text;
  soci::indicator indicator = soci::i_ok;
};

void bind(soci::statement& statement, const Value& value, Bound& bound) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    bound.integer = *integer;
    statement.exchange(soci::use(bound.integer, bound.indicator));
    return;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    bound.text = *text;
  } else {
    bound.indicator = soci::i_null;
  }
  statement.exchange(soci::use(bound.text, bound.indicator));
}

Value read_column(const soci::row& row, std::size_t column) {
  if (row.get_indicator(column) == soci::i_null) return std::monostate{};
  switch (row.get_properties(column).get_data_type()) {
    case soci::dt_integer:
      return std::int64_t{row.get<int>(column)};
    case soci::dt_long_long:
      return std::int64_t{row.get<long long>(column)};
    case soci::dt_unsigned_long_long:
      return static_cast<std::int64_t>(row.get<unsigned long long>(column));
    case soci::dt_double:
      return static_cast<std::int64_t>(row.get<double>(column));
    default:
      return row.get<std::string>(column);
  }
}

class SociConnection final : public DatabaseConnection {
 public:
  SociConnection(std::unique_ptr<soci::session> session, Dialect dialect,
                 UnreadableRows& unreadable)
      : session_(std::move(session)), dialect_(dialect), unreadable_(unreadable) {}

  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values) override {
    try {
      recover();
      soci::statement statement(*session_);
      soci::row row;
      std::deque<Bound> bound(values.size());
      statement.exchange(soci::into(row));
      for (std::size_t i = 0; i < values.size(); ++i) bind(statement, values[i], bound[i]);
      statement.alloc();
      statement.prepare(std::string(sql));
      statement.define_and_bind();
      std::vector<Row> rows;
      bool has_row = statement.execute(true);
      while (has_row) {
        std::vector<Value> columns;
        for (std::size_t i = 0; i < row.size(); ++i) columns.push_back(read_column(row, i));
        rows.emplace_back(std::move(columns));
        has_row = statement.fetch();
      }
      return rows;
    } catch (const std::exception& exception) {
      return failed(exception);
    }
  }

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override {
    try {
      recover();
      soci::statement statement(*session_);
      std::deque<Bound> bound(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) bind(statement, values[i], bound[i]);
      statement.alloc();
      statement.prepare(std::string(sql));
      statement.define_and_bind();
      statement.execute(true);
      return std::int64_t{statement.get_affected_rows()};
    } catch (const std::exception& exception) {
      return failed(exception);
    }
  }

  void note_unreadable(std::string_view table, std::string_view row, const Error& why) override {
    unreadable_.note(table, row, why);
  }

 private:
  // A server that was restarted has closed the connection; the call after the failed one opens it
  // anew.
  void recover() {
    if (!is_broken_) return;
    session_->reconnect();
    is_broken_ = false;
  }

  tl::unexpected<Error> failed(const std::exception& exception) {
    auto error = database_error(exception);
    is_broken_ = dialect_ == Dialect::kPostgresql && error.code == ErrorCode::kUnavailable;
    return tl::unexpected<Error>(std::move(error));
  }

  std::unique_ptr<soci::session> session_;
  const Dialect dialect_;
  UnreadableRows& unreadable_;
  bool is_broken_ = false;
};

// One value of a libpq connection text: quoted, with quotes and backslashes escaped.
std::string connection_value(std::string_view key, std::string_view value) {
  std::string out = fmt::format("{}='", key);
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "' ";
}

std::unique_ptr<soci::session> open_session(Dialect dialect, const std::string& target) {
  if (dialect == Dialect::kPostgresql) {
    return std::make_unique<soci::session>("postgresql", target);  // loads its backend by name
  }
  auto session = std::make_unique<soci::session>(
      soci::sqlite3, fmt::format(R"(dbname="{}" timeout=10 synchronous=full)", target));
  *session << "PRAGMA journal_mode=WAL";
  *session << "PRAGMA foreign_keys=ON";
  return session;
}

}  // namespace

Result<std::string> postgresql_connection_text(std::string_view url) {
  const auto bad = [] {
    return fail(ErrorCode::kInvalid,
                "database: write it as postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME");
  };
  // Not by net::split_url: what stands before the last @ may hold a / of a password.
  url.remove_prefix(kPostgresqlPrefix.size());
  const auto slash = url.rfind('/');
  if (slash == std::string_view::npos) return bad();
  const auto at = url.substr(0, slash).rfind('@');
  if (at == std::string_view::npos) return bad();
  const auto login = url.substr(0, at);
  const auto server = net::split_host_port(url.substr(at + 1, slash - at - 1));
  const auto name = url.substr(slash + 1);
  const auto login_colon = login.find(':');
  const auto user = net::percent_decode(login.substr(0, login_colon), false);
  if (!user || user->empty() || !server || server->host.empty() || name.empty()) return bad();
  auto text = connection_value("user", *user) + connection_value("dbname", name) +
              connection_value("host", server->host);
  if (server->port) text += connection_value("port", std::to_string(*server->port));
  if (login_colon != std::string_view::npos) {
    const auto password = net::percent_decode(login.substr(login_colon + 1), false);
    if (!password) return bad();
    text += connection_value("password", *password);
  }
  return text;
}

Result<std::unique_ptr<DatabaseConnection>> open_connection(Dialect dialect,
                                                            const std::string& target,
                                                            UnreadableRows& unreadable) {
  try {
    return std::make_unique<SociConnection>(open_session(dialect, target), dialect, unreadable);
  } catch (const std::exception& exception) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}{}", kDriverPrefix, exception.what()));
  }
}

}  // namespace vigia::monitor::store
