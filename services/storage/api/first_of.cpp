#include "services/storage/api/first_of.hpp"

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/event_taking.hpp"

namespace vigia::storage::api {

net::Response answer_names(FirstOf<std::string>& names,
                           const std::shared_ptr<lanes::AnswerMemory>& memory,
                           std::string_view gaps) {
  AnswerBody body(memory, gaps);
  const auto last = names.visit([&](const std::string& name) { return body.add(json_text(name)); });
  if (!last) return net::json_error(last.error());
  names.clear();
  return body.finish(*last ? kCutByLimit : "", *last ? to_hex(**last) : "");
}

}  // namespace vigia::storage::api
