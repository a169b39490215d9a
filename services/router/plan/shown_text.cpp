#include "services/router/plan/shown_text.hpp"

#include <cstddef>

namespace vigia::router::plan {

bool may_show_address(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return true;
  if (text.find("dial ") != std::string_view::npos) return true;
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    std::size_t digits = 0;
    while (at + 1 + digits < text.size() && text[at + 1 + digits] >= '0' &&
           text[at + 1 + digits] <= '9') {
      ++digits;
    }
    if (digits >= 4) return true;  // a port; positions in a query are "1:23"
  }
  return false;
}

}  // namespace vigia::router::plan
