// Whatever the body and whatever actions are done to it: each resource says of whose data it is
// what it said before, and what was a request is one still.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "libs/base/check.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/processors/attributes/actions.hpp"
#include "services/collector/processors/edit_body.hpp"

namespace {

namespace edit = vigia::wire::edit;
namespace otlp = vigia::wire::otlp;
namespace attributes = vigia::collector::processors::attributes;
using attributes::Action;
using attributes::ActionKind;
using attributes::ConvertedType;

/// Actions that no configuration may have, and one more of each kind.
const std::vector<Action>& all_actions() {
  static const std::vector<Action> all = [] {
    const std::string other = edit::encoded_value(edit::ValueView::of_text("cliente-b"));
    const auto any = std::make_shared<const re2::RE2>(".*");
    const auto parts = std::make_shared<const re2::RE2>("(?P<customer_id>.)(?P<rest>.*)");
    return std::vector<Action>{
        {.kind = ActionKind::kUpsert, .key = "customer.id", .value = other},
        {.kind = ActionKind::kInsert, .key = "customer_id", .value = other},
        {.kind = ActionKind::kUpdate, .key = "customer.id", .from_attribute = "k"},
        {.kind = ActionKind::kDelete, .pattern = any},
        {.kind = ActionKind::kDelete, .key = "customer.id"},
        {.kind = ActionKind::kHash, .pattern = any},
        {.kind = ActionKind::kExtract,
         .key = "k",
         .pattern = parts,
         .groups = {"customer_id", "rest"}},
        {.kind = ActionKind::kConvert, .key = "customer.id", .converted = ConvertedType::kInt},
        {.kind = ActionKind::kConvert, .key = "k", .converted = ConvertedType::kDouble},
        {.kind = ActionKind::kInsert, .key = "k", .value = other},
    };
  }();
  return all;
}

class Acting final : public edit::Editor {
 public:
  explicit Acting(std::vector<Action> actions) : actions_(std::move(actions)) {}
  edit::Fate on_resource(const edit::EditPlace& place) override {
    attributes::apply_actions(actions_, place.resource);
    return edit::Fate::kKeep;
  }
  edit::Fate on_item(const edit::EditPlace& /*place*/, edit::Editable& item) override {
    attributes::apply_actions(actions_, item);
    return edit::Fate::kKeep;
  }

 private:
  const std::vector<Action> actions_;
};

/// What all resources of a body say of whose they are.
class Claims final : public otlp::Visitor {
 public:
  void on_resource(const otlp::ResourceView& resource) override {
    text_ += '|';
    otlp::for_each_attribute({resource.bytes, otlp::ResourceField::kAttributes.number},
                             [this](const otlp::KeyValueView& entry) {
                               if (!vigia::collector::processors::is_fenced(entry.key)) return;
                               text_ += entry.key;
                               text_ += entry.value;
                             });
  }
  void on_item(std::uint32_t /*item*/, std::string_view /*bytes*/) override {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kChoices = 4;
  if (size < kChoices) return 0;
  std::vector<Action> actions;
  for (std::size_t i = 0; i < kChoices; ++i)
    actions.push_back(all_actions()[data[i] % all_actions().size()]);
  const std::string body(data + kChoices, data + size);
  for (const auto signal :
       {vigia::Signal::kMetrics, vigia::Signal::kTraces, vigia::Signal::kLogs}) {
    Acting editor(actions);
    edit::EditLimits limits;
    limits.is_protected = vigia::collector::processors::is_fenced;
    const auto made = edit::edit(signal, body, editor, limits);
    if (!made || !made->body) continue;
    Claims before;
    Claims after;
    const auto items = otlp::walk(signal, body, before);
    const auto left = otlp::walk(signal, *made->body, after);
    CHECK(items.has_value() && left.has_value() && *items == *left);
    CHECK(before.text() == after.text());
  }
  return 0;
}
