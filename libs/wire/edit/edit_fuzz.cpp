// Whatever the bytes and whatever is done to them: what is made holds the items that were not
// dropped, and what is not changed is not made.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/wire/edit/edit.hpp"
#include "libs/wire/edit/value.hpp"

namespace {

namespace edit = vigia::wire::edit;
namespace otlp = vigia::wire::otlp;

/// Does to each message what the next byte of the input says.
class Any final : public edit::Editor {
 public:
  explicit Any(std::string_view choices) : choices_(choices) {}

  edit::Fate on_resource(const edit::EditPlace& place) override { return change(place.resource); }
  edit::Fate on_scope(const edit::EditPlace& place) override { return change(place.scope); }
  edit::Fate on_metric(const edit::EditPlace& place) override { return change(place.metric); }
  edit::Fate on_item(const edit::EditPlace& place, edit::Editable& item) override {
    if (next() == 1) change(place.resource);
    return change(item);
  }

 private:
  std::uint8_t next() {
    return choices_.empty() ? 0 : static_cast<std::uint8_t>(choices_[at_++ % choices_.size()]);
  }
  edit::Fate change(edit::Editable& message) {
    const std::uint8_t what = next();
    const std::string value = edit::encoded_value(edit::ValueView::of_int(what));
    if ((what & 1U) != 0) message.set_attribute("a", value);
    if ((what & 2U) != 0) message.erase_attribute("b");
    if ((what & 4U) != 0) message.set_bytes(otlp::ProtoField::sized(100), "new");
    if ((what & 8U) != 0) {
      message.for_each_attribute([&](edit::Editable::AttributeRef& attribute) {
        if (next() % 2 == 0)
          attribute.erase();
        else
          attribute.set_key("b");
      });
    }
    if ((what & 64U) != 0) return edit::Fate::kDrop;
    return (what & 32U) != 0 ? edit::Fate::kPass : edit::Fate::kKeep;
  }

  std::string_view choices_;
  std::size_t at_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(data, data + size);
  const std::size_t choices = input.empty() ? 0 : static_cast<std::uint8_t>(input[0]) % size;
  const std::string body = input.substr(choices);
  for (const auto signal :
       {vigia::Signal::kMetrics, vigia::Signal::kTraces, vigia::Signal::kLogs}) {
    const auto items = otlp::count_items(signal, body);
    edit::Editor nobody;
    const auto same = edit::edit(signal, body, nobody);
    CHECK(same.has_value() == items.has_value());
    if (same) CHECK(!same->body && same->dropped == 0);
    Any any(std::string_view(input).substr(0, choices));
    const auto made = edit::edit(signal, body, any);
    if (!made || !items) continue;
    if (!made->body) {
      CHECK(made->dropped == 0);
      continue;
    }
    const auto left = otlp::count_items(signal, *made->body);
    CHECK(left.has_value() && *left + made->dropped == *items);
  }
  return 0;
}
