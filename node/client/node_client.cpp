#include "node/client/node_client.hpp"

#include "core/duration.hpp"
#include "core/names.hpp"
#include "core/time_text.hpp"
#include "graph_json/value_json.hpp"
#include "node/client/job_json.hpp"
#include "node/client/refusal.hpp"
#include "node/id_prefix.hpp"

#include <algorithm>

namespace troupe::client {

namespace {

using node::number_of;
using node::text_of;

std::string path_of(job_id id) { return "/v1/jobs/" + to_string(id); }

void add_part(std::string& to, std::string_view name, std::string_view text) {
  to += (to.empty() ? "?" : "&") + std::string{name} + "=" + encoded(text);
}

std::string query_of(const job_query& x) {
  std::string all;
  if (x.state)
    add_part(all, "state", *x.state);
  if (x.queue)
    add_part(all, "queue", *x.queue);
  for (auto& label : x.labels)
    add_part(all, "label", label);
  if (!x.text.empty())
    add_part(all, "q", x.text);
  if (x.older_than) // By the node's clock.
    add_part(all, "older_than", *x.older_than);
  return all;
}

/// The body of a submission. Graph and input are JSON already, and go in as they are.
std::string body_of(const submission& x) {
  value::object rest;
  if (x.queue)
    rest.emplace("queue", *x.queue);
  if (x.retention)
    rest.emplace("retention", *x.retention);
  if (x.expires_in)
    rest.emplace("expires_in", *x.expires_in);
  if (x.max_parallel > 0)
    rest.emplace("max_parallel", std::int64_t{x.max_parallel});
  value::object labels;
  for (auto& [key, text] : x.labels)
    labels.emplace(key, text);
  if (!labels.empty())
    rest.emplace("labels", std::move(labels));
  auto body = "{\"graph\":" + x.graph;
  if (x.input)
    body += ",\"input\":" + *x.input;
  auto json = graph_json::to_json(value{std::move(rest)});
  return body + (json == "{}" ? "}" : "," + json.substr(1));
}

request post(std::string target, std::string body = {}) {
  request x;
  x.method = "POST";
  x.target = std::move(target);
  x.body = std::move(body);
  return x;
}

request get_of(std::string target) {
  request x;
  x.target = std::move(target);
  return x;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

} // namespace

std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    auto plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                 || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += static_cast<char>(c);
    else
      (out += '%') += {digits[c >> 4], digits[c & 15]};
  }
  return out;
}

trouble node_client::strange(const std::string& what) const {
  return {fault::strange_answer,
          {},
          "the answer of " + at().url + " to " + what + " is not what a node sends"};
}

answer<value> node_client::ask(const request& what, const idle& waiting, bool* replayed) {
  auto got = wire_.ask(what, waiting);
  if (!got)
    return got.trouble();
  if (got->status < 200 || got->status > 299)
    return refusal_of(at(), *got);
  if (replayed)
    *replayed = got->replayed;
  if (got->status == 204)
    return value{};
  auto parsed = graph_json::parse_value(got->body);
  if (got->type != "application/json" || !parsed)
    return strange(what.method + " " + what.target);
  return std::move(*parsed);
}

answer<told_job> node_client::ask_job(const request& what, const idle& waiting, bool* replayed) {
  auto told = ask(what, waiting, replayed);
  if (!told)
    return told.trouble();
  auto job = read_job(*told);
  if (!job)
    return strange(what.method + " " + what.target);
  return told_job{std::move(*job), std::move(*told)};
}

answer<told_job> node_client::submit(const submission& x, bool* replayed) {
  auto what = post("/v1/jobs", body_of(x));
  if (!x.idempotency_key.empty())
    what.fields.emplace_back("Idempotency-Key", x.idempotency_key);
  auto told = ask(what, {}, replayed);
  if (!told)
    return told.trouble();
  auto job = is_gone(*told) ? read_gone(*told) : read_job(*told);
  if (!job)
    return strange(what.method + " " + what.target);
  return told_job{std::move(*job), std::move(*told)};
}

answer<told_job> node_client::get(job_id id) { return ask_job(get_of(path_of(id))); }

answer<told_job> node_client::result(job_id id, std::chrono::milliseconds wait,
                                     const idle& waiting) {
  auto what = get_of(path_of(id) + "/result");
  if (wait > wait.zero())
    what.target += "?wait=" + core::to_text(wait);
  what.wait = wait;
  return ask_job(what, waiting);
}

answer<job_page> node_client::list(const job_query& query, const std::string& cursor,
                                   std::size_t limit) {
  auto target = query_of(query);
  if (!cursor.empty())
    add_part(target, "cursor", cursor);
  add_part(target, "limit", std::to_string(std::min(limit, jobs_page)));
  auto told = ask(get_of("/v1/jobs" + target));
  if (!told)
    return told.trouble();
  auto jobs = told->find("jobs");
  if (!jobs || !jobs->items())
    return strange("GET /v1/jobs");
  job_page page;
  page.next = text_of(*told, "next");
  for (auto& x : *jobs->items()) {
    auto job = read_job(x);
    if (!job)
      return strange("GET /v1/jobs");
    page.jobs.push_back({std::move(*job), x});
  }
  return page;
}

answer<job_id> node_client::find(const std::string& prefix) {
  if (auto wrong = node::unfit_prefix(prefix))
    return *wrong;
  if (auto whole = parse_job_id(prefix))
    return *whole;
  auto wanted = lower(prefix);
  // Ids are listed in falling order: what follows one that is less begins with something less.
  auto passed = [&](std::string_view id) { return id.substr(0, wanted.size()) < wanted; };
  job_query query;
  query.text = wanted; // What has it elsewhere is told, too.
  std::vector<job_id> found;
  std::string cursor;
  for (std::size_t pages = 0; pages < id_search_pages_max; ++pages) {
    auto page = list(query, cursor, jobs_page);
    if (!page)
      return page.trouble();
    for (auto& x : page->jobs)
      if (to_string(x.info.id).starts_with(wanted))
        found.push_back(x.info.id);
    cursor = page->next;
    if (cursor.empty() || passed(cursor) || found.size() > 1)
      return found_job(prefix, found);
  }
  return found.empty()
             ? trouble{fault::unknown_job,
                       "no newer job at " + at().url + " begins with " + core::quoted(prefix),
                       "the search ended after " + std::to_string(id_search_pages_max)
                           + " requests; older jobs were not looked at",
                       "give more of the id: a whole one is not searched for"}
             : found_job(prefix, found);
}

/// The one that was found; else what is wrong with `prefix`.
answer<job_id> node_client::found_job(const std::string& prefix,
                                      const std::vector<job_id>& found) const {
  if (found.empty())
    return trouble{fault::unknown_job,
                   "there is no job " + core::quoted(prefix) + " at " + at().url,
                   "no job of this node has an id that begins so"};
  if (found.size() > 1)
    return trouble{fault::ambiguous_job, "several jobs begin with " + core::quoted(prefix),
                   to_string(found[0]) + ", " + to_string(found[1])
                       + (found.size() > 2 ? ", …" : "")};
  return found.front();
}

answer<std::vector<node::vertex_failure>> node_client::failures(const job_info& job) {
  std::vector<node::vertex_failure> all;
  auto wanted = std::min<std::size_t>(job.in(vertex_state::failed), node::failures_shown_max);
  std::string cursor = "0";
  while (all.size() < wanted && !cursor.empty()) {
    auto told = ask(get_of(path_of(job.id) + "/vertices?limit=" + std::to_string(jobs_page)
                           + "&cursor=" + encoded(cursor)));
    if (!told)
      return told.trouble();
    auto vertices = told->find("vertices");
    if (!vertices || !vertices->items())
      return strange("GET " + path_of(job.id) + "/vertices");
    for (auto& x : *vertices->items())
      if (auto why = x.find("error"); why && text_of(x, "state") == "failed" && all.size() < wanted)
        all.push_back({std::string{text_of(x, "id")}, node::problem_of(*why)});
    cursor = text_of(*told, "next");
  }
  return all;
}

answer<told_job> node_client::change(job_id id, const std::string& step,
                                     const std::string& reason) {
  auto body = reason.empty() ? "" : graph_json::to_json(value::object{{"reason", reason}});
  return ask_job(post(path_of(id) + ":" + step, body));
}

answer<told_job> node_client::retry(job_id id, const std::string& from) {
  auto body = from.empty() ? "" : graph_json::to_json(value::object{{"from", from}});
  return ask_job(post(path_of(id) + ":retry", body));
}

std::optional<trouble> node_client::remove(job_id id) { return remove_at(path_of(id)); }

std::optional<trouble> node_client::remove_at(std::string target) {
  auto what = get_of(std::move(target));
  what.method = "DELETE";
  auto told = ask(what);
  return told ? std::nullopt : std::optional{told.trouble()};
}

answer<bulk_outcome> node_client::change_all(const std::string& step, const job_query& query,
                                             bool dry_run) {
  auto target = query_of(query);
  if (dry_run)
    add_part(target, "dry_run", "true");
  auto what = post("/v1/jobs:" + step + target);
  what.wait = bulk_wait;
  auto told = ask(what);
  if (!told)
    return told.trouble();
  bulk_outcome x{number_of(*told, "jobs"), number_of(*told, "refused"), *told, {}};
  if (auto failed = told->find("error")) {
    auto status = static_cast<int>(number_of(*failed, "status"));
    x.failed =
        refusal_of(at(), {status, "application/problem+json", graph_json::to_json(*failed), false});
  }
  return x;
}

answer<value> node_client::add_graph(const std::string& json) {
  return ask(post("/v1/graphs", json));
}

answer<value> node_client::graph(const graph_id& id, const idle& waiting) {
  return ask(get_of("/v1/graphs/" + to_string(id)), waiting);
}

answer<graph_page> node_client::graphs(const std::string& cursor, std::size_t limit) {
  std::string target;
  if (!cursor.empty())
    add_part(target, "cursor", cursor);
  add_part(target, "limit", std::to_string(std::min(limit, jobs_page)));
  auto told = ask(get_of("/v1/graphs" + target));
  if (!told)
    return told.trouble();
  auto graphs = told->find("graphs");
  if (!graphs || !graphs->items())
    return strange("GET /v1/graphs");
  return graph_page{{graphs->items()->begin(), graphs->items()->end()},
                    std::string{text_of(*told, "next")}};
}

answer<value> node_client::stats() { return ask(get_of("/v1/stats")); }

answer<value> node_client::add_key(const std::string& json) { return ask(post("/v1/keys", json)); }

answer<value::list> node_client::keys() {
  auto told = ask(get_of("/v1/keys"));
  if (!told)
    return told.trouble();
  auto keys = told->find("keys");
  if (!keys || !keys->items())
    return strange("GET /v1/keys");
  return *keys->items();
}

std::optional<trouble> node_client::revoke_key(const std::string& id) {
  return remove_at("/v1/keys/" + encoded(id));
}

} // namespace troupe::client
