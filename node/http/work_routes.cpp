#include "core/duration.hpp"
#include "core/trace.hpp"
#include "node/http/body_fields.hpp"

namespace troupe::http {

namespace {

using graph_json::field;
using graph_json::json_place;
using graph_json::member;
using graph_json::problem_list;

// What each body says. Whether it makes sense is the runtime's to say.
struct fetch_body {
  work_request what;
};
struct report_body {
  std::string token;
  value output;
  problem error{"failed", "", ""};
};
struct emit_body {
  std::string token;
  std::uint32_t sequence = 0;
  emit_kind kind = emit_kind::log;
  std::string text;
};
struct leases_body {
  std::vector<std::string> tokens;
};

void read_texts(std::vector<std::string>& to, value& from, const json_place& at,
                problem_list& out) {
  auto items = from.items();
  if (!items)
    return out.wrong_type(at, from, "a list of strings");
  to.clear();
  for (std::size_t i = 0; i < items->size(); ++i)
    read_text(to.emplace_back(), (*items)[i], at / i, out);
}

void read_value(value& to, value& from, const json_place&, problem_list&) { to = std::move(from); }

void read_counted(std::size_t& to, value& from, const json_place& at, problem_list& out) {
  std::uint32_t count = 0;
  graph_json::read_count(count, from, 1, limits::work_fetch_max, at, out);
  to = count;
}

void read_sequence(std::uint32_t& to, value& from, const json_place& at, problem_list& out) {
  graph_json::read_count(to, from, 1, std::numeric_limits<std::uint32_t>::max(), at, out);
}

constexpr graph_json::word<emit_kind> kinds[] = {
    {"log", emit_kind::log}, {"token", emit_kind::token}, {"progress", emit_kind::progress}};

constexpr auto request_of = [](auto& to) -> work_request& { return to.what; };

template <auto Read, auto Member>
void of_request(fetch_body& to, value& from, const json_place& at, problem_list& out) {
  Read(request_of(to).*Member, from, at, out);
}

constexpr field<fetch_body> fetch_fields[] = {
    {"queues", of_request<read_texts, &work_request::queues>},
    {"worker", of_request<read_text, &work_request::worker>},
    {"count", of_request<read_counted, &work_request::count>},
    {"lease", of_request<graph_json::read_duration, &work_request::lease>},
    {"wait", of_request<graph_json::read_duration, &work_request::wait>},
};
constexpr field<problem> error_fields[] = {
    {"code", member<read_text, &problem::code>, true},
    {"detail", member<read_text, &problem::detail>, true},
};
constexpr field<report_body> complete_fields[] = {
    {"token", member<read_text, &report_body::token>, true},
    {"output", member<read_value, &report_body::output>},
};
constexpr field<report_body> fail_fields[] = {
    {"token", member<read_text, &report_body::token>, true},
    {"error", member<graph_json::object_of<error_fields>, &report_body::error>, true},
};
constexpr field<emit_body> emit_fields[] = {
    {"token", member<read_text, &emit_body::token>, true},
    {"sequence", member<read_sequence, &emit_body::sequence>, true},
    {"kind", member<graph_json::one_of<kinds>, &emit_body::kind>},
    {"text", member<read_text, &emit_body::text>, true},
};
constexpr field<leases_body> heartbeat_fields[] = {
    {"tokens", member<read_texts, &leases_body::tokens>, true},
};

/// What the job was told, if it was told anything.
void put_messages(value::object& to, const std::vector<std::string>& all) {
  if (!all.empty())
    to.emplace("messages", value::list(all.begin(), all.end()));
}

value value_of(const work_item& x) {
  value::object item{{"token", x.token},
                     {"job", to_string(x.job)},
                     {"vertex", x.vertex},
                     {"queue", x.queue},
                     {"task", x.task},
                     {"attempt", std::int64_t{x.attempt}},
                     {"idempotency_key", x.idempotency_key},
                     {"arguments", x.arguments},
                     {"inputs", x.inputs},
                     {"lease", core::to_text(x.lease)}};
  put_messages(item, x.messages);
  return item;
}

/// What a worker has fetched, while the labels of its jobs are looked up.
class fetched_work : public std::enable_shared_from_this<fetched_work> {
public:
  fetched_work(call_ptr to, const std::vector<work_item>& items) : to_(std::move(to)) {
    for (auto& x : items)
      work_.push_back(value_of(x));
  }
  /// Once no job is looked up any more.
  ~fetched_work() { to_->out(json_answer(200, value::object{{"work", std::move(work_)}})); }
  fetched_work(const fetched_work&) = delete;
  fetched_work& operator=(const fetched_work&) = delete;

  /// Tells attempts that are part of a trace which span is theirs.
  void add_traces(runtime& node, const std::vector<work_item>& items) {
    for (std::size_t i = 0; i < items.size(); ++i)
      node.describe(items[i].job,
                    [self = shared_from_this(), i, item = items[i]](const result<job_info>& job) {
                      if (job)
                        self->add_trace(i, *job, item);
                    });
  }

private:
  void add_trace(std::size_t i, const job_info& job, const work_item& item) {
    auto trace = core::trace_of_attempt(job.labels, job.id, item.vertex, item.attempt);
    std::scoped_lock lock{mutex_};
    if (!trace.empty())
      work_[i].members()->emplace("traceparent", std::move(trace));
  }

  call_ptr to_;
  std::mutex mutex_;
  value::list work_;
};

const char* word_of(lease_state::condition x) {
  switch (x) {
  case lease_state::condition::held: return "held";
  case lease_state::condition::cancelled: return "cancelled";
  case lease_state::condition::lost: break;
  }
  return "lost";
}

value value_of(const lease_state& x) {
  value::object lease;
  lease.emplace("token", x.token);
  lease.emplace("state", word_of(x.now));
  put_messages(lease, x.messages);
  if (x.messages_left_out)
    lease.emplace("messages_left_out", true);
  return lease;
}

runtime::reported told(const call_ptr& to) {
  return [to](const status& done) {
    if (done)
      to->out({204});
    else
      refuse(to, done.error());
  };
}

/// The leases of a call for work. They are given back if nobody gets them: the worker is gone, or
/// its key worthless.
class fetched_tokens {
public:
  fetched_tokens(api_ptr in, namespace_id ns) : in_(std::move(in)), ns_(ns) {}

  /// False: nobody waits for them any more, and they are given back.
  bool take(const std::vector<work_item>& items) {
    std::scoped_lock lock{mutex_};
    for (auto& x : items)
      tokens_.push_back(x.token);
    if (unwanted_)
      in_->node.return_work(ns_, tokens_);
    return !unwanted_;
  }
  void give_back() {
    std::scoped_lock lock{mutex_};
    unwanted_ = true;
    in_->node.return_work(ns_, tokens_);
  }

private:
  const api_ptr in_;
  const namespace_id ns_;
  std::mutex mutex_;
  std::vector<std::string> tokens_;
  bool unwanted_ = false;
};

void fetch(const api_ptr& in, const call_ptr& to) {
  auto body = body_of(to, fetch_fields);
  if (!body)
    return;
  body->what.ns = to->in.who.ns;
  auto tokens = std::make_shared<fetched_tokens>(in, to->in.who.ns);
  auto answer = [in, to, tokens](const result<std::vector<work_item>>& items) {
    if (!items)
      return refuse(to, items.error());
    static const std::vector<work_item> none;
    auto& got = tokens->take(*items) ? *items : none;
    std::make_shared<fetched_work>(to, got)->add_traces(in->node, got);
  };
  auto give_up = in->node.fetch_work(body->what, std::move(answer));
  to->out.when_unwanted([give_up, tokens](unwanted why) {
    give_up();
    if (why != unwanted::closing) // Else what is there is still answered.
      tokens->give_back();
  });
}

void heartbeat(const api_ptr& in, const call_ptr& to) {
  auto body = body_of(to, heartbeat_fields);
  if (!body)
    return;
  in->node.extend_leases(to->in.who.ns, std::move(body->tokens),
                         [to](const result<std::vector<lease_state>>& states) {
                           if (!states)
                             return refuse(to, states.error());
                           value::list leases;
                           for (auto& x : *states)
                             leases.push_back(value_of(x));
                           to->out(json_answer(200, value::object{{"leases", std::move(leases)}}));
                         });
}

void complete(const api_ptr& in, const call_ptr& to) {
  if (auto body = body_of(to, complete_fields))
    in->node.complete_work(to->in.who.ns, body->token, std::move(body->output), told(to));
}

void fail(const api_ptr& in, const call_ptr& to) {
  if (auto body = body_of(to, fail_fields))
    in->node.fail_work(to->in.who.ns, body->token, std::move(body->error), told(to));
}

/// Calls that were left out are a fault of the request, not of the job's state.
void answer_emitted(const call_ptr& to, const status& done) {
  if (done.code() != ec::illegal_request)
    return told(to)(done);
  problems found{{"out_of_order", "/sequence", done.error().detail}};
  to->out(problem_answer(error{ec::invalid_spec, "the request is not valid"}, found));
}

void emit(const api_ptr& in, const call_ptr& to) {
  if (auto body = body_of(to, emit_fields))
    in->node.emit_work(to->in.who.ns, body->token, body->sequence, body->kind,
                       std::move(body->text),
                       [to](const status& done) { answer_emitted(to, done); });
}

} // namespace

void add_work_routes(const api_ptr& to, std::vector<route>& all) {
  auto add = [&](std::string verb, auto act) {
    all.push_back(
        {"POST", "/v1/work:" + verb, bound_by_size(to, act), body_mode::json, action::work});
  };
  add("fetch", fetch);
  add("heartbeat", heartbeat);
  add("complete", complete);
  add("fail", fail);
  add("emit", emit);
}

} // namespace troupe::http
