#include "services/router/api/prometheus/exposition.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "libs/model/labels.hpp"

namespace vigia::router::api::prometheus {
namespace {

/// One line of a sample, read as far as its labels.
class SampleLine {
 public:
  explicit SampleLine(std::string_view line) : rest_(line) {}

  /// Whether it carries the label with that value; nothing where it is no sample.
  std::optional<bool> carries(std::string_view label, std::string_view value) {
    take_word();
    if (!take('{')) return rest_.starts_with(' ') ? std::optional(false) : std::nullopt;
    bool is_there = false;
    while (!take('}')) {
      const auto name = rest_.starts_with('"') ? take_quoted() : std::optional(take_word());
      if (!name || name->empty()) return std::nullopt;
      if (take('=')) {
        const auto found = take_quoted();
        if (!found) return std::nullopt;
        is_there = is_there || (*name == label && *found == value);
      }  // else the name of the metric, as 3.x may write it
      if (!take(',') && !rest_.starts_with('}')) return std::nullopt;
    }
    return rest_.starts_with(' ') ? std::optional(is_there) : std::nullopt;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// The letters of a name, perhaps none.
  std::string_view take_word() {
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return !(c == '_' || c == ':' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9'));
    });
    return cut(static_cast<std::size_t>(end - rest_.begin()));
  }
  /// What stands between quotes, as it is: the ids of customers have nothing that is escaped.
  std::optional<std::string_view> take_quoted() {
    if (!take('"')) return std::nullopt;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        const std::string_view text = cut(i);
        take('"');
        return text;
      }
    }
    return std::nullopt;
  }
  std::string_view cut(std::size_t size) {
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  std::string_view rest_;
};

/// Keeps pieces of a text in its own place: they only move to the left.
class Kept {
 public:
  explicit Kept(std::string& text) : text_(text) {}
  void keep(std::size_t begin, std::size_t end) {
    const auto from = text_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = text_.begin() + static_cast<std::ptrdiff_t>(end);
    if (begin != size_) std::copy(from, to, text_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += end - begin;
  }
  void finish() { text_.resize(size_); }

 private:
  std::string& text_;
  std::size_t size_ = 0;
};

struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

}  // namespace

Result<std::string> exposition_of(std::string page, const std::optional<CustomerId>& customer) {
  if (!customer) return page;
  const std::string whose = customer->text();
  Kept kept(page);
  Stretch comments;  // before the samples that follow; empty once they are kept
  for (std::size_t at = 0, next = 0; at < page.size(); at = next) {
    const std::size_t end = std::min(page.find('\n', at), page.size());
    next = std::min(end + 1, page.size());
    const std::string_view line = std::string_view(page).substr(at, end - at);
    if (line.empty()) continue;
    if (line.starts_with('#')) {
      comments = {comments.end == at ? comments.begin : at, next};
      continue;
    }
    const auto is_own = SampleLine(line).carries(kCustomerLabel, whose);
    if (!is_own) return fail(ErrorCode::kCorrupt, "a page of a store cannot be read");
    if (!*is_own) continue;
    kept.keep(comments.begin, comments.end);
    comments = {};
    kept.keep(at, next);
  }
  kept.finish();
  return page;
}

namespace {

/// The lines of one metric, of all pages.
struct Family {
  std::string_view comments;                             // whole lines
  std::size_t page = 0;                                  // that they are of
  std::map<std::string_view, std::string_view> samples;  // by name and labels
};

/// Begins a view in the same text, that of the stretch so far, at `line`.
std::string_view stretched(std::string_view so_far, std::string_view line) {
  if (so_far.empty()) return line;
  return {so_far.data(), static_cast<std::size_t>(line.data() + line.size() - so_far.data())};
}

std::int64_t time_of(std::string_view sample) {
  const std::string_view text = sample.substr(sample.rfind(' ') + 1);
  std::int64_t time = 0;
  std::from_chars(text.data(), text.data() + text.size(), time);
  return time;
}

void add_sample(std::string_view line, std::string_view comments, std::size_t page,
                std::map<std::string_view, Family>& families) {
  const std::size_t labels = line.rfind('}');
  const std::size_t end =
      labels == std::string_view::npos ? std::min(line.find(' '), line.size()) : labels + 1;
  const auto [place, is_new] = families.try_emplace(line.substr(0, line.find_first_of("{ ")));
  Family& family = place->second;
  if (is_new) family.page = page;
  if (family.page == page && family.comments.empty()) family.comments = comments;
  const auto [known, is_first] = family.samples.try_emplace(line.substr(0, end), line);
  if (!is_first && time_of(line) > time_of(known->second)) known->second = line;
}

}  // namespace

std::string merge_pages(const std::vector<std::string>& pages) {
  std::map<std::string_view, Family> families;
  for (std::size_t page = 0; page < pages.size(); ++page) {
    std::string_view rest = pages[page];
    std::string_view comments;
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, size);
      rest.remove_prefix(std::min(size + 1, rest.size()));
      if (line.empty()) continue;
      if (line.starts_with('#')) {
        comments = stretched(comments, line);
        continue;
      }
      add_sample(line, comments, page, families);
      comments = {};
    }
  }
  std::string merged;
  for (const auto& [name, family] : families) {
    if (!family.comments.empty()) merged.append(family.comments).append("\n");
    for (const auto& [series, sample] : family.samples) merged.append(sample).append("\n");
  }
  return merged;
}

}  // namespace vigia::router::api::prometheus
