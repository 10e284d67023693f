#include "core/admission.hpp"
#include "core/payload.hpp"
#include "core/time_text.hpp"
#include "core/trace.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/new_job.hpp"
#include "storage/sha256.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

/// What a request has come to.
struct submission {
  call_ptr to;
  job_request asked;
  known_graph graph;
  bool resolved = false; ///< Its graph was made durable, or looked for, for this request.
};
using submission_ptr = std::shared_ptr<submission>;

void resolve(const api_ptr& in, const submission_ptr& x);

void submit(const api_ptr& in, const submission_ptr& x) {
  submit_by_rule(in, x->to, x->asked.spec, [in, x](const submit_outcome& outcome) {
    auto& made = outcome.made;
    if (made.code() == ec::no_such_graph && x->asked.graph && !x->resolved)
      return on_pool(in, x->to, [in, x] { resolve(in, x); }); // It was known, and is deleted.
    if (!is_refused(x->to, outcome))
      answer_made(in, x->to, new_job(x->asked.spec, x->graph, made->id), made->replayed);
  });
}

/// Goes on with what became of the graph. `here`: this thread may wait for the disk.
void go_on(const api_ptr& in, const submission_ptr& x,
           std::variant<known_graph, graph_trouble> graph, bool here) {
  if (auto wrong = std::get_if<graph_trouble>(&graph))
    return x->to->out(graph_answer(*wrong));
  x->graph = std::move(std::get<known_graph>(graph));
  x->asked.spec.graph = x->graph.id;
  auto large = core::encoded_size(x->asked.spec.input) > limits::record_value_bytes_max;
  if (large && !here)
    return on_pool(in, x->to, [in, x] { submit(in, x); });
  submit(in, x);
}

void resolve(const api_ptr& in, const submission_ptr& x) {
  x->resolved = true;
  go_on(in, x, in->graphs.resolve(x->asked.spec.ns, x->asked), true);
}

/// Answers with all that is wrong at once: the graph is looked at also if other fields are wrong.
/// `here` as below.
void refuse_request(const api_ptr& in, const call_ptr& to, read_request x, bool here) {
  auto is_of_graph = [](const problem& p) { return p.pointer.starts_with("/graph"); };
  if (!x.malformed && x.request.graph && std::ranges::none_of(x.errors, is_of_graph)) {
    if (!here)
      return on_pool(in, to, [in, to, x = std::move(x)] { refuse_request(in, to, x, true); });
    for (auto& wrong : in->node.check(*x.request.graph))
      x.errors.push_back({wrong.code, x.request.graph_at + wrong.pointer, wrong.detail});
  }
  to->out(answer_of(x));
}

/// Reads the request. `here`: this thread may wait, and take its time.
void read(const api_ptr& in, const call_ptr& to, bool here) {
  auto parsed = read_job_request(to->in.body, false);
  if (parsed.malformed || !parsed.errors.empty())
    return refuse_request(in, to, std::move(parsed), here);
  auto key = idempotency_key_of(to->in.fields.find("Idempotency-Key"));
  if (!key)
    return refuse(to, key.error());
  auto x = std::make_shared<submission>(submission{to, std::move(parsed.request), {}, false});
  auto& spec = x->asked.spec;
  spec.ns = to->in.who.ns;
  spec.idempotency_key = std::move(*key);
  put_in_trace(in, trace_in(to->in.fields), spec);
  if (!spec.idempotency_key.empty())
    spec.request_digest = digest_text(to->in.body);
  if (here)
    return resolve(in, x);
  if (auto known = in->graphs.find(spec.ns, x->asked))
    return go_on(in, x, std::move(*known), false);
  on_pool(in, to, [in, x] { resolve(in, x); });
}

void submit_job(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  if (to->in.body.size() > limits::http_small_body_bytes)
    return on_pool(in, to, [in, to] { read(in, to, true); });
  read(in, to, false);
}

/// What is known of a job that an earlier request has made, and that is gone.
response gone_answer(const job_info& made) {
  return json_answer(200, value::object{{"id", to_string(made.id)},
                                        {"deleted", true},
                                        {"graph", to_string(made.graph)},
                                        {"queue", made.queue},
                                        {"created_at", core::to_text(made.created)}});
}

} // namespace

job_info new_job(const job_spec& spec, const known_graph& graph, job_id id) {
  job_info job;
  job.id = id;
  job.ns = spec.ns;
  job.queue = spec.queue;
  job.graph = graph.id;
  job.graph_name = graph.name;
  job.labels = spec.labels;
  job.created = time_point{std::chrono::milliseconds{id.high >> 16}};
  job.expires_at = core::expiry_of(spec.expires_at.value_or(time_point{}),
                                   spec.expires_after.value_or(core::duration{}), job.created);
  job.events = 1;
  if (spec.reuse)
    job.retry_of = spec.reuse->job;
  return job;
}

void answer_made(const api_ptr& in, const call_ptr& to, const job_info& made, bool replayed) {
  auto tell = [to, replayed](const job_info& job) {
    auto answer = job_answer(replayed ? 200 : 201, job);
    answer.fields.add("Location", "/v1/jobs/" + to_string(job.id));
    tell_made(answer, {job.id, replayed});
    to->out(std::move(answer));
  };
  if (!replayed)
    return tell(made);
  in->node.describe(made.id, [to, tell, made](const result<job_info>& job) {
    if (job)
      return tell(*job);
    if (job.code() != ec::no_such_job)
      return refuse(to, job.error());
    auto answer = gone_answer(made);
    tell_made(answer, {made.id, true});
    to->out(std::move(answer));
  });
}

void when_gone_is_known(const api_ptr& in, const submitted& made, std::function<void(bool)> then) {
  if (!made.replayed)
    return then(false);
  in->node.describe(made.id, [then = std::move(then)](const result<job_info>& job) {
    then(job.code() == ec::no_such_job);
  });
}

void tell_made(response& answer, const submitted& made) {
  answer.job = made.id;
  if (made.replayed)
    answer.fields.add("Idempotency-Replayed", "true");
}

response made_answer(value::object all, const submitted& made, bool gone) {
  if (gone)
    all.emplace("deleted", true);
  auto answer = json_answer(200, std::move(all));
  tell_made(answer, made);
  return answer;
}

bool put_in_key(const call_ptr& to, job_spec& spec) {
  auto key = idempotency_key_of(to->in.fields.find("Idempotency-Key"));
  if (!key)
    return refuse(to, key.error()), false;
  spec.idempotency_key = std::move(*key);
  if (spec.idempotency_key.empty())
    return true;
  auto all = to->in.method + " " + to->in.path;
  for (auto& [name, text] : to->in.query)
    all += "\n" + name + "=" + text;
  spec.request_digest = digest_text(all + "\n\n" + to->in.body);
  return true;
}

std::string trace_in(const headers& fields) {
  constexpr auto name = "traceparent";
  return fields.count(name) == 1 ? *fields.find(name) : "";
}

void put_in_trace(const api_ptr& in, const std::string& sent, job_spec& to) {
  if (to.labels.contains(core::trace_label) || to.labels.size() >= limits::labels_max)
    return;
  std::string trace = core::parse_trace(sent) ? sent : "";
  if (trace.empty() && in->outside.new_trace)
    trace = in->outside.new_trace();
  if (!trace.empty())
    to.labels[core::trace_label] = std::move(trace);
}

std::string digest_text(std::string_view text) {
  auto digest = storage::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return {digest.begin(), digest.end()};
}

void add_submit_routes(const api_ptr& to, std::vector<route>& all) {
  all.push_back({"POST", "/v1/jobs", bound(to, submit_job), body_mode::json, action::submit});
}

} // namespace troupe::http
