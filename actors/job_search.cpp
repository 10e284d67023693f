#include "actors/job_search.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letter(char a, char b) noexcept { return lower(a) == lower(b); }

bool begins_with(std::string_view text, std::string_view part) noexcept {
  return text.size() >= part.size()
         && std::ranges::equal(text.substr(0, part.size()), part, same_letter);
}

/// What is at hand first, the name of the graph last.
bool is_meant(const storage::job_row& x, std::string_view text, graph_names& names) {
  auto labelled = [&](auto& label) {
    return has_text(label.first, text) || has_text(label.second, text);
  };
  return begins_with(to_string(x.id), text) || has_text(x.spec.queue, text)
         || std::ranges::any_of(x.spec.labels, labelled)
         || has_text(names.of(x.ns, x.spec.graph), text);
}

} // namespace

bool has_text(std::string_view text, std::string_view part) noexcept {
  return !std::ranges::search(text, part, same_letter).empty() || part.empty();
}

const std::string& graph_names::of(namespace_id ns, const graph_id& id) {
  auto [at, is_new] = known_.try_emplace({ns, id});
  if (is_new)
    if (auto found = from_.find(ns, id))
      at->second = (*found)->name;
  return at->second;
}

void search_for(const std::string& text, graph_names& names, storage::job_query& query) {
  if (text.empty())
    return;
  query.matching = [text, &names](const storage::job_row& x) { return is_meant(x, text, names); };
  query.scan_max = search_scan_max;
}

} // namespace troupe::actors
