#include "core/decide.hpp"

#include "core/duration.hpp"
#include "core/time_text.hpp"
#include "core/utf8.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

record_group group_of(const job& x, shard_time now, record_body body) {
  record_group group;
  group.push_back(record_for(x, now, std::move(body)));
  return group;
}

const vertex_detail* detail_of(const job& x, vertex_index v) {
  if (!x.run)
    return nullptr;
  auto found = x.run->details.find(v);
  return found == x.run->details.end() ? nullptr : &found->second;
}

bool is_current(const job& x, vertex_index v, const token& proof) {
  auto detail = detail_of(x, v);
  return detail && detail->current == proof;
}

/// When the timer of a `delay` fires; zero if the vertex is none.
shard_time due_of(const vertex_shape& shape, shard_time now) {
  if (shape.kind != "delay")
    return {};
  auto text = [&](const char* key) {
    auto member = shape.config.find(key);
    return member && member->string() ? *member->string() : std::string{};
  };
  if (auto length = parse_duration(text("for")))
    return now + std::max(*length, duration{1});
  return std::max(parse_time(text("until")).value_or(now), now + duration{1});
}

bool can_start(const job& x, vertex_index v) {
  return x.state == job_state::running && goes_on(x) && v < x.run->states.size()
         && next(x.run->states[v], vertex_request::start);
}

/// The number of the attempt that starts next: a redelivery repeats it.
std::uint32_t next_number(const job& x, vertex_index v) {
  auto detail = detail_of(x, v);
  if (!detail)
    return 1;
  auto redelivered = x.run->states[v] == vertex_state::ready && detail->attempts > 0;
  return detail->attempts + !redelivered;
}

bool repeats(const retry_spec& retry, attempt_end outcome) {
  return (outcome == attempt_end::failed && retry.on_error)
         || (outcome == attempt_end::timed_out && retry.on_timeout);
}

/// What a runner says, in terms of what can be recorded.
void correct(const job& x, attempt_result& r) {
  if (r.outcome == attempt_end::cancelled && goes_on(x))
    r.outcome = attempt_end::failed; // Nobody asked for it: dependants must not wait for ever.
  if (r.outcome != attempt_end::succeeded || !too_deep(r.output.get()))
    return;
  r.outcome = attempt_end::failed;
  r.error = {"output_too_deep", "",
             "the output is nested deeper than " + std::to_string(limits::value_depth_max)};
}

/// Completes what a runner said: whether it is repeated, and which edges are not taken.
vertex_outcome judge(const job& x, attempt_result r, std::uint32_t number, duration took,
                     shard_time now, random_bits& random) {
  correct(x, r);
  vertex_outcome end{r.vertex, r.outcome, took, {}, {}, {}, {}};
  if (r.outcome == attempt_end::succeeded) {
    end.untaken = untaken_of(x, r.vertex, r.output.get(), false);
    end.output = std::move(r.output);
    return end;
  }
  end.error = std::move(r.error);
  auto& shape = x.plan->shape(r.vertex);
  if (!goes_on(x))
    end.outcome = attempt_end::cancelled; // It was asked to end: whatever it says now.
  else if (repeats(shape.retry, r.outcome) && number < shape.retry.max_attempts)
    end.retry_at = now + backoff(shape.retry, number, random);
  else
    end.untaken = untaken_of(x, r.vertex, to_value(end.error), true);
  return end;
}

/// Why the job can be told nothing; empty: it can.
std::string keeps_none(const job& x) {
  if (x.run && x.run->failing && !terminal(x.state))
    return std::string{to_string(x.state)} + " and about to fail";
  auto goes_on = x.state == job_state::pending || x.state == job_state::running
                 || x.state == job_state::paused;
  return goes_on ? "" : to_string(x.state);
}

problem failure_of(const job& x) {
  for (auto& [v, detail] : x.run->details)
    if (x.run->states[v] == vertex_state::failed
        && x.plan->shape(v).on_error == on_error_policy::fail_job)
      return {detail.error.code, "/vertices/" + std::to_string(v),
              "vertex \"" + x.plan->names[v] + "\": " + detail.error.detail};
  return {"failed", "", "a vertex has failed"};
}

} // namespace

bool goes_on(const job& x) {
  return (x.state == job_state::running || x.state == job_state::paused) && x.run
         && !x.run->failing;
}

std::vector<std::uint32_t> untaken_of(const job& x, vertex_index v, const value& output,
                                      bool failed) {
  std::vector<std::uint32_t> untaken;
  auto out = x.plan->out(v);
  for (std::uint32_t i = 0; i < out.size(); ++i)
    if (out[i].when != no_index && out[i].on_error == failed
        && !x.plan->conditions[out[i].when].holds(output))
      untaken.push_back(i);
  return untaken;
}

std::size_t untaken_bytes(const job& x, vertex_index v) {
  constexpr std::size_t position_bytes_max = 5; // A varint.
  auto out = x.plan->out(v);
  auto conditions = std::ranges::count_if(out, [](auto& e) { return e.when != no_index; });
  return static_cast<std::size_t>(conditions) * position_bytes_max;
}

record record_for(const job& x, shard_time at, record_body body) {
  return {x.ns, x.shard, x.id, at, std::move(body)};
}

result<record_group> decide_move(const job& x, job_request on, std::string reason, shard_time now) {
  if (on == job_request::resume && x.state == job_state::paused && !x.run)
    on = job_request::requeue;
  if (reason.size() > limits::reason_bytes_max)
    return error{ec::too_large, "the reason has " + std::to_string(reason.size())
                                    + " bytes, allowed are "
                                    + std::to_string(limits::reason_bytes_max)};
  if (find_bad_utf8(reason) != reason.npos)
    return error{ec::invalid_spec, "the reason is no UTF-8"};
  auto to = next(x.state, on);
  if (!to)
    return error{ec::illegal_request, std::string{"the job is "} + to_string(x.state)
                                          + "; it cannot take the request \"" + to_string(on)
                                          + "\" from there"};
  problem why;
  if (*to == job_state::failed)
    why = {on == job_request::expire ? "expired" : "failed", "", reason};
  return group_of(x, now, job_moved{x.state, *to, std::move(reason), std::move(why)});
}

result<record_group> decide_message(const job& x, std::string text, shard_time now) {
  if (text.empty() || find_bad_utf8(text) != text.npos)
    return error{ec::invalid_spec,
                 text.empty() ? "the message is empty; send a text" : "the message is no UTF-8"};
  if (auto why = keeps_none(x); !why.empty())
    return error{ec::illegal_request, "the job is " + why + "; it can be told nothing more"};
  auto bytes = text.size();
  for (auto& earlier : x.messages)
    bytes += earlier.size();
  if (x.messages.size() >= limits::job_messages_max || bytes > limits::job_messages_bytes_max)
    return error{ec::too_large, "with this one the job has " + std::to_string(x.messages.size() + 1)
                                    + " messages of " + std::to_string(bytes)
                                    + " bytes, allowed are "
                                    + std::to_string(limits::job_messages_max) + " of "
                                    + std::to_string(limits::job_messages_bytes_max)
                                    + "; say it shorter, or to another job"};
  return group_of(x, now, message_added{std::move(text)});
}

result<record_group> decide_start(const job& x, vertex_index v, shard_time now,
                                  random_bits& random) {
  if (!can_start(x, v))
    return error{ec::illegal_request, "the vertex cannot start now"};
  token proof{random(), random()};
  return group_of(x, now,
                  attempt_started{v, next_number(x, v), proof, due_of(x.plan->shape(v), now)});
}

result<record_group> decide_lease(const job& x, vertex_index v, duration lease, std::string worker,
                                  shard_time now, random_bits& random) {
  if (!can_start(x, v))
    return error{ec::illegal_request, "the vertex cannot start now"};
  token proof{random(), random()};
  return group_of(x, now, attempt_leased{v, next_number(x, v), proof, lease, std::move(worker)});
}

result<record_group> decide_attempt_ended(const job& x, const token& proof, attempt_result r,
                                          shard_time now, random_bits& random) {
  if (!is_current(x, r.vertex, proof))
    return stale_attempt();
  auto detail = detail_of(x, r.vertex);
  auto took = std::max(now - detail->started, duration{});
  auto end = judge(x, std::move(r), detail->attempts, took, now, random);
  return group_of(x, now, attempt_ended{proof, std::move(end)});
}

error no_such_job(job_id id) {
  return {ec::no_such_job, "no job " + to_string(id) + " is recorded here"};
}

error stale_attempt() {
  return {ec::stale_token, "the attempt is not the vertex's current one: it has ended, or it was "
                           "given to another"};
}

bool has_recorded(const job& x, const token& proof, const attempt_result& r) {
  auto detail = detail_of(x, r.vertex);
  if (!detail || detail->ended != proof)
    return false;
  auto state = x.run->states[r.vertex];
  auto succeeded = state == vertex_state::succeeded;
  if (state == vertex_state::cancelled)
    return r.outcome != attempt_end::succeeded; // Whatever else it said, this was recorded.
  if (r.outcome == attempt_end::succeeded)
    return succeeded && x.run->outputs[r.vertex] == r.output;
  return !succeeded && detail->error == r.error;
}

record_group decide_vertices_ended(const job& x, std::vector<attempt_result> results, duration took,
                                   shard_time now, random_bits& random) {
  if (!goes_on(x))
    return {};
  vertices_ended all;
  all.ends.reserve(results.size());
  for (auto& r : results) {
    if (!next(x.run->states[r.vertex], vertex_request::start))
      continue;
    auto detail = detail_of(x, r.vertex);
    all.ends.push_back(
        judge(x, std::move(r), detail ? detail->attempts + 1 : 1, took, now, random));
  }
  return all.ends.empty() ? record_group{} : group_of(x, now, std::move(all));
}

result<record_group> decide_lost(const job& x, vertex_index v, bool counts, shard_time now) {
  auto detail = detail_of(x, v);
  if (!detail || !detail->current)
    return error{ec::stale_token, "no attempt of the vertex is running"};
  auto end = [&](attempt_end outcome, problem why) {
    auto untaken = outcome == attempt_end::failed ? untaken_of(x, v, to_value(why), true)
                                                  : std::vector<std::uint32_t>{};
    vertex_outcome lost{v, outcome, {}, {}, {}, std::move(why), std::move(untaken)};
    return group_of(x, now, attempt_ended{*detail->current, std::move(lost)});
  };
  if (!goes_on(x))
    return end(attempt_end::cancelled, {"cancelled", "", "the job was ending when its node ended"});
  if (counts && detail->redeliveries >= limits::redeliveries_max)
    return end(attempt_end::failed,
               {"redelivery_limit", "",
                std::string{detail->lease == duration{} ? "the node ended while it ran, "
                                                        : "its worker fell silent, "}
                    + std::to_string(detail->redeliveries + 1)
                    + " times; see whether the vertex is what ends it"});
  return group_of(x, now, attempt_lost{v, *detail->current, counts});
}

result<record_group> decide_said(const job& x, vertex_index v, const token& proof, std::string text,
                                 shard_time now, stream_kind kind, bool last) {
  if (!is_current(x, v, proof))
    return stale_attempt();
  if (x.stream_cut || x.streamed >= limits::stream_bytes_max || (text.empty() && !last))
    return record_group{};
  auto detail = detail_of(x, v);
  auto left = limits::stream_bytes_max - x.streamed;
  auto cut = last || text.size() >= left;
  text.resize(whole_characters(text, left));
  return group_of(x, now,
                  stream_appended{v, detail->attempts, detail->said, kind, std::move(text), cut});
}

result<record_group> decide_emitted(const job& x, vertex_index v, const token& proof,
                                    std::uint64_t number, stream_kind kind, std::string text,
                                    shard_time now) {
  if (!is_current(x, v, proof))
    return stale_attempt();
  auto due = detail_of(x, v)->pieces + std::uint64_t{1};
  if (x.stream_cut || number < due)
    return record_group{};
  if (number > due)
    return error{ec::illegal_request, "piece " + std::to_string(number) + " came before piece "
                                          + std::to_string(due) + "; send that one first"};
  return decide_said(x, v, proof, std::move(text), now, kind);
}

record_group settle(const job& x, shard_time now) {
  auto step = [&](job_request on, problem why) {
    return group_of(x, now, job_moved{x.state, *next(x.state, on), "", std::move(why)});
  };
  auto running = x.run ? x.run->in(vertex_state::running) : 0;
  if (is_being_ended(x))
    return running == 0 ? step(job_request::ended, {}) : record_group{};
  if (!x.run || (x.state != job_state::running && x.state != job_state::paused))
    return {};
  if (x.run->failing)
    return running == 0 ? step(job_request::fail, failure_of(x)) : record_group{};
  return x.run->open() == 0 ? step(job_request::complete, {}) : record_group{};
}

resumption resume(const job& x) {
  resumption all;
  if (!x.run || terminal(x.state))
    return all;
  if (goes_on(x) && x.run->in(vertex_state::ready) > 0)
    for (vertex_index v = 0; v < x.run->states.size(); ++v)
      if (x.run->states[v] == vertex_state::ready)
        all.ready.push_back(v);
  for (auto& [v, detail] : x.run->details) {
    auto timer = goes_on(x) && detail.due != shard_time{};
    if (!goes_on(x) && !detail.current)
      continue;
    if (x.run->states[v] == vertex_state::backoff || (detail.current && timer))
      all.timers.push_back(v);
    else if (detail.current && goes_on(x) && detail.lease != duration{})
      all.leased.push_back(v);
    else if (detail.current)
      all.lost.push_back(v);
  }
  return all;
}

duration backoff(const retry_spec& retry, std::uint32_t failed, random_bits& random) {
  auto delay = static_cast<double>(retry.base.count());
  auto cap = static_cast<double>(retry.cap.count());
  for (std::uint32_t i = 1; i < failed && delay < cap; ++i)
    delay *= retry.factor;
  auto longest = static_cast<std::uint64_t>(std::min(delay, cap));
  auto chosen = retry.jitter ? random() % (longest + 1) : longest;
  return duration{static_cast<duration::rep>(std::max<std::uint64_t>(chosen, 1))};
}

record_group transact(job& x, record_group decided, shard_time now, const witness& told) {
  auto take = [&](const record& r) {
    changes seen;
    apply(x, r, seen);
    told(r, seen);
  };
  for (auto& r : decided)
    take(r);
  for (auto more = settle(x, now); !more.empty(); more = settle(x, now))
    for (auto& r : more) {
      take(r);
      decided.push_back(std::move(r));
    }
  return decided;
}

} // namespace troupe::core
