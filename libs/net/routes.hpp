// A table of paths, for services that serve several.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/task.hpp"
#include "libs/net/server.hpp"

namespace vigia::net {

/// Values of the {placeholders} of the path that matched, percent-decoded.
using PathValues = std::map<std::string, std::string, std::less<>>;
/// How an error is written. `status` is what goes out; it is http_status(error.code), but for a
/// wrong method, which is 405.
using ErrorForm = Response (*)(const Error& error, int status);
using RouteFunction = Task<void(Request, const PathValues&, Responder)>;

/// Exact paths, "{name}" for one whole segment, and "{name*}" for one in which "%2f" may stand. A
/// path that is not in the table is 404, a wrong method 405 with Allow; "//", "..", "%2f" elsewhere
/// match nothing. Fill it before the server starts; after that any loop may call.
class Routes : public Handler {
 public:
  /// `error_form` is how what this table refuses is written; as json_error where none is given.
  explicit Routes(ErrorForm error_form = nullptr);
  void add(std::string method, std::string_view pattern, RouteFunction function);
  void handle(Request request, Responder responder) override;
  Response refuse(const RequestHead& head, const Error& error) override;  ///< in the form of errors
  /// Method and pattern of each, as they were added and in that order.
  std::vector<std::pair<std::string, std::string>> list() const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    RouteFunction function;
  };
  ErrorForm error_form_;
  std::vector<Route> routes_;
};

}  // namespace vigia::net
