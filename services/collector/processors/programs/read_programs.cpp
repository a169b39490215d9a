#include "services/collector/processors/programs/read_programs.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/ottl/parser.hpp"

namespace vigia::collector::processors::programs {
namespace {

using service::ConfigNode;

/// More in one file is a mistake: each is run for each item.
constexpr std::size_t kTextsMax = 1'000;

std::optional<ottl::Context> read_context(const ConfigNode& node, Signal signal) {
  if (!node.is_present()) return std::nullopt;
  const auto context = ottl::find_context(node.text());
  if (context && ottl::is_of(*context, signal)) return context;
  node.note_error(
      fmt::format("\"{}\" is no context of {} that is taken", node.text(), to_string(signal)));
  return std::nullopt;
}

ProgramTexts read_map(const ConfigNode& node, Signal signal, std::string_view flat_key,
                      ErrorMode error_mode) {
  ProgramTexts texts;
  texts.node = node;
  texts.context = read_context(node.child("context"), signal);
  texts.error_mode = read_error_mode(node, error_mode);
  texts.conditions = read_text_list(node.child("conditions"));
  if (flat_key == "statements") {
    texts.statements = read_text_list(node.child("statements"));
    if (texts.statements.empty()) node.note_error("names no statements");
    if (const auto shared = node.child("shared_cache"); shared.boolean(false))
      shared.note_error("is not taken: a cache is of one item");
  } else if (texts.conditions.empty()) {
    node.note_error("names no conditions");
  }
  return texts;
}

template <typename Compiled>
std::optional<Compiled> noted(Result<Compiled> compiled, const ProgramText& text) {
  if (compiled) return *std::move(compiled);
  text.node.note_error(compiled.error().message);
  return std::nullopt;
}

/// False where a text is none, or names no context: noted.
bool collect(const ottl::Node& node, const ProgramText& text,
             std::vector<ottl::Context>& contexts) {
  const auto found = ottl::contexts_in(node, text.text);
  if (!found) {
    text.node.note_error(found.error().message);
    return false;
  }
  contexts.insert(contexts.end(), found->begin(), found->end());
  return true;
}

bool collect_condition(const ProgramText& text, std::vector<ottl::Context>& contexts) {
  const auto tree = ottl::parse_condition(text.text);
  if (tree) return collect(**tree, text, contexts);
  text.node.note_error(tree.error().message);
  return false;
}

bool collect_statement(const ProgramText& text, std::vector<ottl::Context>& contexts) {
  const auto tree = ottl::parse_statement(text.text);
  if (!tree) {
    text.node.note_error(tree.error().message);
    return false;
  }
  return collect(*tree->editor, text, contexts) &&
         (!tree->where || collect(*tree->where, text, contexts));
}

}  // namespace

std::string id_of(const ConfigNode& node) {
  const std::string path = node.path();
  return path.substr(path.find('.') + 1);  // behind "processors"
}

std::vector<ProgramText> read_text_list(const ConfigNode& list) {
  std::vector<ProgramText> texts;
  if (!list.is_present()) return texts;
  if (!list.is_sequence()) {
    list.note_error("is a list");
    list.accept_all();
    return texts;
  }
  for (const ConfigNode& item : list.items()) {
    texts.push_back({item.required_text(), item});
    if (texts.size() <= kTextsMax) continue;
    list.note_error(fmt::format("has more than {} texts", kTextsMax));
    list.accept_all();
    break;
  }
  return texts;
}

std::vector<ProgramTexts> read_texts(const ConfigNode& list, Signal signal,
                                     std::string_view flat_key, ErrorMode error_mode) {
  std::vector<ProgramTexts> all;
  if (!list.is_present()) return all;
  const std::vector<ConfigNode> items =
      list.is_sequence() ? list.items() : std::vector<ConfigNode>{};
  const auto is_text = [](const ConfigNode& item) { return item.is_scalar(); };
  if (!list.is_sequence()) list.note_error("is a list");
  if (std::all_of(items.begin(), items.end(), is_text)) {
    if (items.empty()) return all;
    ProgramTexts texts;
    texts.node = list;
    texts.error_mode = error_mode;
    (flat_key == "statements" ? texts.statements : texts.conditions) = read_text_list(list);
    all.push_back(std::move(texts));
    return all;
  }
  if (std::any_of(items.begin(), items.end(), is_text))
    list.note_error("is a list of texts, or of {context, conditions, …}, not of both");
  for (const ConfigNode& item : items) {
    if (!is_text(item)) all.push_back(read_map(item, signal, flat_key, error_mode));
  }
  return all;
}

std::optional<ottl::Context> infer_context(const std::vector<ProgramText>& conditions,
                                           const std::vector<ProgramText>& statements,
                                           Signal signal) {
  std::vector<ottl::Context> contexts;
  for (const ProgramText& text : conditions) {
    if (!collect_condition(text, contexts)) return std::nullopt;
  }
  for (const ProgramText& text : statements) {
    if (!collect_statement(text, contexts)) return std::nullopt;
  }
  const ProgramText& last = statements.empty() ? conditions.back() : statements.back();
  if (contexts.empty()) {
    last.node.note_error("no path says of what it is (log.…, resource.…): set `context`");
    return std::nullopt;
  }
  const auto context = ottl::common_context(contexts, signal);
  if (!context)
    last.node.note_error(
        fmt::format("no context of {} sees all that the paths name: part them into several lists",
                    to_string(signal)));
  return context;
}

std::optional<ottl::Condition> read_condition(const ProgramText& text, ottl::Context context,
                                              ottl::CompileBudget& budget) {
  return noted(ottl::Condition::compile(text.text, context, budget), text);
}

std::optional<ottl::Statement> read_statement(const ProgramText& text, ottl::Context context,
                                              ottl::CompileBudget& budget) {
  return noted(ottl::Statement::compile(text.text, context, budget), text);
}

}  // namespace vigia::collector::processors::programs
