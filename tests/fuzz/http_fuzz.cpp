#include "core/names.hpp"
#include "graph_json/graph_json.hpp"
#include "node/http/event_stream.hpp"
#include "node/http/job_request.hpp"
#include "node/http/line_splitter.hpp"
#include "node/http/list_query.hpp"
#include "node/http/options.hpp"
#include "node/http/query.hpp"
#include "node/http/router.hpp"

#include <cstdint>
#include <cstdlib>
#include <iostream>

using namespace troupe;
using namespace troupe::http;

namespace {

void demand(bool holds, const char* promise) {
  if (holds)
    return;
  std::cerr << "broken: " << promise << "\n";
  std::abort();
}

const router& routes() {
  static const router all{{{"GET", "/v1/jobs", {}},
                           {"POST", "/v1/jobs:batch", {}},
                           {"GET", "/v1/jobs/{job}/events", {}},
                           {"POST", "/v1/jobs/{job}:cancel", {}},
                           {"GET", "/v1/graphs/{graph}", {}},
                           {"POST", "/v1/queues/{queue}:pause", {}}}};
  return all;
}

void read_path(std::string_view text) {
  auto found = routes().find("GET", text);
  if (auto none = std::get_if<unrouted>(&found))
    demand(none->status == 400 || none->status == 404 || none->status == 405,
           "what has no route has a status");
  else
    demand(std::get<routed>(found).to != nullptr, "what is routed has a route");
}

void read_filter(const query_arguments& query) {
  auto filter = filter_in(query, core::shard_time{std::chrono::hours{500'000}});
  if (!filter)
    return demand(!filter.error().detail.empty(), "what is no filter says why");
  demand(!filter->state || !filter->unfinished, "one state is meant, or all that are unfinished");
  demand(!filter->queue || core::is_name(*filter->queue), "a queue has a name");
  demand(filter->labels.size() == query.count("label"), "each label is asked for");
  for (auto& [name, ignored] : filter->labels)
    demand(core::is_name(name), "a label has a name");
}

void read_cursors(const query_arguments& query) {
  constexpr std::uint64_t life = 7;
  auto sent = http::find(query, "cursor");
  auto job = job_cursor_in(query, life);
  auto graph = graph_cursor_in(query);
  if (!sent)
    return demand(job && !*job && graph && !*graph, "without a cursor a list begins at its begin");
  demand(!job || (*job && cursor_of(**job, life) == lowered(*sent)), "a cursor was given");
  demand(!job || !job_cursor_in(query, life + 1), "a cursor is of one life of the store");
  demand(!graph || (*graph && to_string(**graph) == lowered(*sent)), "a cursor is an id");
}

void read_list(std::string_view text) {
  std::string sent{text};
  read_filter({{"state", sent}});
  read_filter({{"queue", sent}});
  read_filter({{"label", sent}, {"label", "a=b"}});
  read_cursors({{"cursor", sent}});
}

void read_query(std::string_view text) {
  auto query = parse_query(text);
  if (!query)
    return;
  demand(query->size() <= limits::http_query_parts_max, "a query has a bound");
  constexpr parameter known[] = {{"limit"}, {"label", true}};
  (void)check_query(*query, known);
  if (auto limit = number_in(*query, "limit", 1, 1, 1000))
    demand(*limit >= 1 && *limit <= 1000, "a number is within its range");
  (void)flag_in(*query, "dry_run");
  read_filter(*query);
  read_cursors(*query);
  request in;
  in.query = *query;
  if (auto place = event_place_of(in, 1))
    demand(place->from >= 1, "events begin at 1");
}

void read_fields(std::string_view text) {
  std::string field{text};
  if (auto key = idempotency_key_of(&field))
    demand(!key->empty() && key->size() <= limits::idempotency_key_bytes_max, "a key has a bound");
  (void)bearer_of(&field);
  (void)names_this({}, field);
  auto id = request_id_of(&field);
  demand(!id.empty() && id.size() <= 128, "the id of a request has a bound");
  headers all;
  all.add("A", field);
  demand(all.find("A")->find('\n') == std::string::npos, "a field has one line");
}

void read_job(std::string_view text) {
  auto x = read_job_request(text, true);
  demand(x.errors.size() <= 2 * (limits::graph_problems_max + 1), "problems have a bound");
  demand(x.malformed.has_value() <= !x.errors.empty(), "what is malformed says why");
  if (x.malformed || !x.errors.empty())
    demand(answer_of(x).status >= 400, "what is wrong is refused");
}

void read_lines(std::string_view text) {
  std::string whole;
  line_splitter split{1 << 20};
  auto take = [&](const std::string& line) { whole += line + "\n"; };
  for (std::size_t at = 0; at < text.size(); at += 7)
    split.add(text.substr(at, 7), take);
  demand(whole.size() <= text.size(), "lines are no more than what came");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  read_path(text);
  read_query(text);
  read_list(text);
  read_fields(text);
  read_job(text);
  read_lines(text);
  return 0;
}
