#include "graph_json/value_json.hpp"
#include "node/http/batch.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/new_job.hpp"
#include "node/http/reworded.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

/// Reads a stream of at most `limits::record_group_bytes_max` to its end; the call is answered if
/// that does not come.
void collect(const call_ptr& to, std::string begun, std::function<void(result<std::string>)> then) {
  to->in.stream->next([to, begun = std::move(begun),
                       then = std::move(then)](result<std::string> piece) mutable {
    if (!piece)
      return to->out(problem_answer(refusal_of_body(piece.code()), piece.error().detail));
    if (piece->empty())
      return then(std::move(begun));
    begun += *piece;
    if (begun.size() > limits::record_group_bytes_max)
      return then(error{ec::too_large, "an atomic batch has at most "
                                           + std::to_string(limits::record_group_bytes_max)
                                           + " bytes"});
    if (!to->in.room->hold(begun.size()))
      return then(error{ec::overloaded, "the node holds too many bytes of other requests; repeat "
                                        "it after a while"});
    collect(to, std::move(begun), std::move(then));
  });
}

/// All lines as one transaction, or the answer to what is wrong.
struct atomic_batch {
  transaction all;
  std::vector<std::uint64_t> numbers; ///< Of the lines that the jobs stand in.
  std::optional<response> wrong;

  void refuse(std::uint64_t number, response x) {
    x.fields.add("Troupe-Line", std::to_string(number));
    wrong = with_line(std::move(x), number);
  }

  void add(const api_ptr& in, const request& from, std::uint64_t number, std::string_view text) {
    auto& who = from.who;
    if (all.jobs.size() == limits::transaction_parts_max)
      return refuse(number,
                    problem_answer(refusal::body_too_large,
                                   "an atomic batch has at most "
                                       + std::to_string(limits::transaction_parts_max) + " lines"));
    auto parsed = read_job_request(text, true);
    if (parsed.malformed || !parsed.errors.empty())
      return refuse(number, answer_of(parsed));
    auto graph = in->graphs.resolve(who.ns, parsed.request);
    if (auto trouble = std::get_if<graph_trouble>(&graph))
      return refuse(number, graph_answer(*trouble));
    auto& spec = parsed.request.spec;
    spec.ns = who.ns;
    spec.graph = std::get<known_graph>(graph).id;
    if (!spec.idempotency_key.empty())
      spec.request_digest = digest_text(text);
    put_in_trace(in, trace_in(from.fields), spec);
    if (all.jobs.empty())
      all.queue = spec.queue;
    if (auto why = only_alone(in, spec.queue))
      return refuse(number, problem_answer(*why));
    if (spec.queue != all.queue)
      return refuse(number,
                    problem_answer(error{ec::invalid_spec,
                                         "all lines of an atomic batch go to one queue, the first "
                                         "one to "
                                             + all.queue}));
    all.jobs.push_back(std::move(spec));
    numbers.push_back(number);
  }
};

/// Looks for the jobs of earlier requests, so this thread must be one that may wait.
response answer_of(const api_ptr& in, const std::vector<submitted>& made,
                   const std::vector<std::uint64_t>& numbers) {
  std::string lines, ids;
  for (std::size_t i = 0; i < made.size(); ++i) {
    auto gone = made[i].replayed && in->node.describe(made[i].id).code() == ec::no_such_job;
    auto line = line_answer(made[i], gone);
    line.emplace("line", static_cast<std::int64_t>(numbers[i]));
    lines += graph_json::to_json(value{std::move(line)}) + "\n";
    if (ids.size() < batch_ids_bytes_max)
      ids += " " + to_string(made[i].id);
  }
  response x{200, "application/x-ndjson", lines};
  x.done = batch_done(made.size(), 0, ids);
  return x;
}

void submit_all(const api_ptr& in, const call_ptr& to, const std::string& text) {
  atomic_batch x;
  x.all.ns = to->in.who.ns;
  std::uint64_t number = 0;
  line_splitter split{limits::http_line_bytes_max};
  auto add = [&](const std::string& line) {
    if (!x.wrong && !is_blank(line))
      x.add(in, to->in, number + 1, line);
    ++number;
  };
  split.add(text, add);
  add(split.take());
  if (x.wrong)
    return to->out(std::move(*x.wrong));
  in->node.transact(
      x.all, [in, to, numbers = std::move(x.numbers)](const result<std::vector<submitted>>& made) {
        if (!made)
          return refuse(to, made.error());
        auto answer = [in, to, numbers, made = *made] { to->out(answer_of(in, made, numbers)); };
        if (std::ranges::any_of(*made, &submitted::replayed))
          in->pool.post(answer, true);
        else
          answer();
      });
}

void submit_batch(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"atomic"}};
  if (has_bad_query(to, known))
    return;
  auto atomic = flag_in(to->in.query, "atomic");
  if (!atomic)
    return to->out(problem_answer(refusal::bad_query, atomic.error().detail));
  if (!*atomic) {
    response x{200, "application/x-ndjson"};
    x.stream = std::make_shared<batch>(in, to->in);
    return to->out(std::move(x));
  }
  collect(to, {}, [in, to](result<std::string> text) {
    if (!text)
      return refuse(to, text.error());
    auto bytes = text->size();
    on_pool(
        in, to, [in, to, text = std::move(*text)] { submit_all(in, to, text); }, bytes);
  });
}

} // namespace

void add_batch_route(const api_ptr& to, std::vector<route>& all) {
  all.push_back(
      {"POST", "/v1/jobs:batch", bound(to, submit_batch), body_mode::ndjson, action::submit});
}

} // namespace troupe::http
