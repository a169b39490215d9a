#include "libs/promql/testing/grammar.hpp"

#include <algorithm>

namespace vigia::promql {

std::string Grammar::expression() { return any(3); }

std::string Grammar::of_type(ValueType type, int depth) {
  switch (type) {
    case ValueType::kScalar:
      return scalar(depth);
    case ValueType::kVector:
      return vector(depth);
    case ValueType::kMatrix:
      return matrix(depth);
    case ValueType::kString:
      return text();
  }
  return "1";
}

bool Grammar::is_new() const { return language_.is_new(); }

std::size_t Grammar::below(std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
}

std::string Grammar::pick(const std::vector<std::string>& choices) {
  return choices[below(choices.size())];
}

std::string Grammar::any(int depth) {
  const std::size_t kind = below(10);
  if (kind == 0) return scalar(depth);
  if (kind == 1) return matrix(depth);
  return vector(depth);
}

std::string Grammar::text() {
  return pick({"\"a\"", "'b'", "`c\\d`", "\"\\x41\\n\"", "''", "\"customer_id\"", "'\\u00f1'",
               "\"\\xfe\"", "'$1-\"x\"'", "\"(.*)\""});
}

std::string Grammar::number() {
  std::vector<std::string> choices{"1",   "0x1f", "1e3",  "0.25", "Inf", "NaN",
                                   "017", "5.",   ".125", "1e-9", "0"};
  if (is_new()) choices.insert(choices.end(), {"1_000", "1h30m", "0x1_f"});
  return pick(choices);
}

std::string Grammar::length() {
  std::vector<std::string> choices{"5m", "1h30m", "15s", "1d", "300ms", "2w", "1y"};
  if (is_new()) choices.insert(choices.end(), {"300", "0.5", "1_0"});
  return pick(choices);
}

std::string Grammar::computed_length(int depth) {
  if (depth <= 0) return length();
  std::vector<std::string> words{"step()"};
  if (language_.is_since(10)) words.emplace_back("range()");
  const bool is_renamed = language_.is_since(13);
  switch (below(7)) {
    case 0:
      return pick(words);
    case 1:
      return pick({is_renamed ? "min_of(" : "min(", is_renamed ? "max_of(" : "MAX("}) +
             computed_length(depth - 1) + "," + computed_length(depth - 1) + ")";
    case 2:
      return pick({"-", "+", "- "}) + computed_length(depth - 1);
    case 3:
      return "(" + computed_length(depth - 1) + ")";
    case 4:
    case 5:
      return computed_length(depth - 1) + pick({" + ", "-", "*", " / ", " % ", "^"}) +
             computed_length(depth - 1);
    default:
      return length();
  }
}

std::string Grammar::any_length() {
  const bool may_compute = language_.is_since(6) && language_.features.length_expressions;
  return may_compute && below(4) == 0 ? computed_length(3) : length();
}

std::string Grammar::extension() {
  if (!language_.is_since(7) || !language_.features.extended_ranges) return "";
  return pick({"", "", "", "", "", " anchored", " smoothed"});
}

std::string Grammar::fills() {
  if (!language_.is_since(10) || !language_.features.fill_modifiers) return "";
  return pick({"", "", "", "", " fill (0) ", " fill_left(-1.5) ", " fill_right (NaN)fill_left(5m) ",
               " fill_left(1) fill_right (1) "});
}

std::string Grammar::mutated(std::string text) {
  static const std::vector<std::string> pieces{
      "(",          ")",        "[",       "]",      "{",     "}",      ",",
      ":",          "@",        "-",       "+",      "*",     "/",      "%",
      "^",          "==",       "!=",      "=~",     "!~",    "<",      ">/",
      "</",         ">=",       "bool",    "on",     "by",    "offset", "5m",
      "[5m]",       "[1h:]",    "1",       "0x",     "'a'",   "\"b\"",  "`c`",
      "#c\n",       "step()",   "range",   "min_of", "max(",  "fill",   "fill (0)",
      "anchored",   "smoothed", "start()", "end()",  "info(", "sum",    "group_left",
      "without ()", "inf",      "NaN",     "_",      ".",     "e5",     "\\",
      " ",          "\t",       "=",       "!",      "a:b",   "limitk", "absent",
      "\xc3\xb1"};
  for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(text.size() - at, below(6));
    switch (below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(12)));
        break;
      case 2:
        text.replace(at, length, pick(pieces));
        break;
      default:
        text.insert(at, " " + pick(pieces) + " ");
    }
  }
  return text;
}

std::string Grammar::shift() {
  const std::string at = pick({"", "", "", " @ 1609746000", " @ start()", " @ end()", " @ -1.5"});
  const std::string offset = below(4) == 0 ? " offset " + pick({"", "-"}) + any_length() : "";
  return below(2) == 0 ? at + offset : offset + at;
}

std::string Grammar::matcher() {
  std::string name = pick({"job", "node_id", "customer_id", "by", "inf", "le", "offset"});
  if (is_new() && below(4) == 0) name = pick({"\"a.b\"", "\"job\"", "'x y'"});
  switch (below(4)) {
    case 0:
      return name + pick({"=", "!="}) + text();
    case 1:
      return name + "=~" + pick({"\".+\"", "'a|b'", "`^x.*$`", "\"\""});
    case 2:
      return name + "!~" + pick({"\".+\"", "'a|b'"});
    default:
      return name + " = \"cliente-b\"";
  }
}

std::string Grammar::selector() {
  std::string name = pick({"up", "a:b", "sum", "by", "rate", "x_total", "offset", "start"});
  std::vector<std::string> parts;
  for (std::size_t i = below(3); i > 0; --i) parts.push_back(matcher());
  if (below(5) == 0) {
    name = "";
    parts.push_back("__name__=~\"x.+\"");
  } else if (is_new() && below(4) == 0) {
    name = "";
    parts.insert(parts.begin(), pick({"\"x.y\"", "\"up\"", "'bool'", "\"\\u00f1\""}));
  }
  if (parts.empty()) return name + pick({"", "{}"});
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ",") + part;
  return name + "{" + all + pick({"", ","}) + "}";
}

std::string Grammar::labels() {
  std::vector<std::string> names{"job", "node_id", "by", "sum", "le", "customer_id", "bool"};
  if (is_new()) names.insert(names.end(), {"\"a.b\"", "'inf'"});
  std::string all;
  for (std::size_t i = below(3); i > 0; --i) all += (all.empty() ? "" : ", ") + pick(names);
  return "(" + all + ")";
}

std::string Grammar::scalar(int depth) {
  if (depth <= 0) return number();
  switch (below(6)) {
    case 0:
      return "time()";
    case 1:
      return "scalar(" + vector(depth - 1) + ")";
    case 2:
      return "-" + scalar(depth - 1);
    case 3:
      return "(" + scalar(depth - 1) + ")";
    case 4:
      return scalar(depth - 1) + pick({" + ", " ^ ", " % ", " == bool ", " atan2 ", "-", "*"}) +
             scalar(depth - 1);
    default:
      return number();
  }
}

std::string Grammar::matrix(int depth) {
  if (depth > 0 && below(2) == 0) {
    return "(" + vector(depth - 1) + ")[" + any_length() + ":" +
           (below(2) == 0 ? any_length() : "") + "]" + shift();
  }
  return selector() + "[" + any_length() + "]" + extension() + shift();
}

std::string Grammar::vector(int depth) {
  if (depth <= 0) return selector() + shift();
  switch (below(7)) {
    case 0:
      return call(depth);
    case 1:
    case 2:
      return aggregation(depth);
    case 3:
      return vector(depth - 1) + arithmetic() + vector(depth - 1);
    case 4:
      return vector(depth - 1) + pick({" and ", " or ", " unless "}) +
             pick({"", "on " + labels(), "ignoring" + labels()}) + " " + vector(depth - 1);
    case 5:
      return pick({"(", "-(", "+("}) + vector(depth - 1) + ")";
    default:
      return selector() + shift();
  }
}

std::string Grammar::arithmetic() {
  std::string op = pick({"+", "-", "*", "/", "%", "^", " atan2 "});
  if (below(3) == 0) op = pick({"==", "!=", ">", "<", ">=", "<="}) + pick({"", " bool "});
  if (language_.is_since(11) && below(12) == 0) op = pick({"</", " >/ "});
  if (below(3) == 0)
    op += pick({" on ", " ignoring "}) + labels();
  else
    return " " + op + fills() + " ";
  return " " + op + pick({" ", " group_left ", " group_right() ", " group_left(z) "}) + fills();
}

std::string Grammar::aggregation(int depth) {
  std::string op = pick(
      {"sum", "avg", "count", "MIN", "max", "stddev", "topk", "quantile", "count_values", "group"});
  if (is_new() && language_.features.experimental_functions && below(8) == 0) op = "limitk";
  std::string parameter;
  if (op == "topk" || op == "quantile" || op == "limitk") parameter = scalar(depth - 1) + ", ";
  if (op == "count_values") parameter = text() + ", ";
  const std::string grouping = pick({"", "", " by ", " without "});
  const std::string list = grouping.empty() ? "" : grouping + labels();
  const std::string body = "(" + parameter + vector(depth - 1) + ")";
  return below(2) == 0 ? op + list + body : op + body + list;
}

std::string Grammar::call(int depth) {
  static const std::vector<std::string> names{"abs",
                                              "rate",
                                              "absent",
                                              "increase",
                                              "label_replace",
                                              "label_join",
                                              "vector",
                                              "round",
                                              "clamp_max",
                                              "histogram_quantile",
                                              "timestamp",
                                              "hour",
                                              "last_over_time",
                                              "sort",
                                              "absent_over_time",
                                              "predict_linear",
                                              "scalar",
                                              "histogram_fraction",
                                              "max_over_time",
                                              "quantile_over_time"};
  static const std::vector<std::string> new_names{"first_over_time",
                                                  "ts_of_first_over_time",
                                                  "histogram_quantiles",
                                                  "min_of",
                                                  "max_of",
                                                  "step",
                                                  "range",
                                                  "start",
                                                  "end",
                                                  "start_timestamp",
                                                  "mad_over_time",
                                                  "info",
                                                  "sort_by_label"};
  const Function* function = nullptr;
  if (is_new() && language_.features.experimental_functions && below(4) == 0) {
    function = find_function(pick(new_names), language_);
  }
  if (function == nullptr) function = find_function(pick(names), language_);
  if (function->name == "info") {
    return "info(" + vector(depth - 1) + pick({")", ", {})", ", {job=~\".+\"})", ", {le!=\"x\"})"});
  }
  std::string all;
  for (std::size_t i = 0; i < function->arguments.size(); ++i) {
    // What is no regex is refused.
    const bool is_regex = function->name == "label_replace" && i + 1 == function->arguments.size();
    all += (all.empty() ? "" : ", ") +
           (is_regex ? pick({"\"(.*)\"", "`c\\d`", "''", "\"a|(b)\"", "'\\u00f1'"})
                     : of_type(function->arguments[i], depth - 1));
  }
  const std::string text = std::string(function->name) + "(" + all + ")";
  return function->result == ValueType::kScalar ? "vector(" + text + ")" : text;
}

}  // namespace vigia::promql
