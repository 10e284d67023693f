#include "core/decide.hpp"
#include "core/names.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/new_job.hpp"
#include "node/http/reworded.hpp"
#include "node/http/task_record.hpp"
#include "troupe/graph_builder.hpp"

namespace troupe::http {

namespace {

constexpr std::size_t list_usual = 50, list_max = 100; // Each task may be read from the disk.
constexpr std::size_t moves_max = 1000;                // Of one task, in its record.
constexpr std::size_t events_looked_at_max = 100'000;  // To find them, in one request.
constexpr std::chrono::milliseconds stop_wait{5000};   // For a stopped task to have ended.
constexpr std::string_view session_of_task = "session_id";

graph_spec task_graph() {
  graph_builder b{"task"};
  b.add("task", "worker", {{"task", task_name}});
  auto graph = std::move(b).build();
  graph.result = {"task"};
  graph.result_is_single = true;
  return graph;
}

/// The task that has not ended; nothing if there is none. Reads the disk. Errors: those of `list`.
result<std::optional<job_info>> current_task(const api_ptr& in, const call_ptr& to) {
  return unfinished_in(in->node, to->in.who.ns, task_queue);
}

value asked_of(const api_ptr& in, const job_info& job) {
  auto spec = in->node.spec(job.id);
  return spec ? std::move(spec->input) : value{};
}

/// The steps of a job so far. `looked` counts the events that a request has looked at.
std::vector<event> moves_of(const api_ptr& in, job_id id, std::size_t& looked) {
  std::vector<event> moves;
  auto reader = in->node.events(id);
  while (reader && looked < events_looked_at_max && moves.size() < moves_max) {
    auto some = reader->next(std::chrono::milliseconds{0});
    if (!some || some->empty())
      break;
    looked += some->size();
    for (auto& x : *some)
      if (x.type == "state" && moves.size() < moves_max)
        moves.push_back(std::move(x));
  }
  return moves;
}

std::vector<event> all_moves_of(const api_ptr& in, job_id id) {
  std::size_t looked = 0;
  return moves_of(in, id, looked);
}

/// Has `then` called with the task that has not ended, if there is one, on a thread that may wait.
void with_current(const api_ptr& in, const call_ptr& to,
                  std::function<void(const std::optional<job_info>&)> then) {
  on_pool(in, to, [in, to, then = std::move(then)] {
    auto task = current_task(in, to);
    if (task)
      then(*task);
    else
      refuse(to, task.error());
  });
}

value in_short(const api_ptr& in, const job_info& job) {
  auto all = active_task(job, asked_of(in, job));
  return value::object{{"task_id", all["task_id"]},
                       {"status", all["status"]},
                       {"session_id", all["session_id"]},
                       {"start_time", all["start_time"]}};
}

value::object submitted_task(const value& asked, const submitted& made) {
  auto text = [&](std::string_view key) {
    auto found = asked.find(key);
    return found ? *found : value{};
  };
  return {{"success", true},
          {"task_id", to_string(made.id)},
          {"session_id", text("session_id")},
          {"status", "submitted"},
          {"message", "Task submitted for execution"},
          {"llm_profile", text("llm_profile_name")},
          {"workspace_dir", text("workspace_dir")}};
}

void answer_submit(const api_ptr& in, const call_ptr& to, const value& asked,
                   const submit_outcome& x) {
  if (x.busy) {
    on_pool(in, to, [in, to, busy = *x.busy] {
      to->out(json_answer(
          200, value::object{{"success", false},
                             {"message", "Cannot submit task: another task is currently running"},
                             {"active_task", in_short(in, busy)}}));
    });
    return;
  }
  if (!is_refused(to, x))
    when_gone_is_known(in, *x.made, [to, asked, made = *x.made](bool gone) {
      to->out(made_answer(submitted_task(asked, made), made, gone));
    });
}

/// The members of a submission; the call is answered if they are not what they should be.
std::optional<value> task_of(const call_ptr& to) {
  auto asked = members_of(to, task_fields());
  if (!asked)
    return {};
  problems wrong;
  for (auto key : {"session_id", "task_description", "llm_profile_name"})
    if (auto found = asked->find(key); !found)
      wrong.push_back({"missing_key", "", "the key `" + std::string{key} + "` is missing"});
    else if (!found->string())
      wrong.push_back({"wrong_type", "/" + std::string{key}, "expected a string"});
  if (!wrong.empty()) {
    to->out(problem_answer(error{ec::invalid_spec, "the request is not valid"}, wrong));
    return {};
  }
  if (!asked->find("agent_mode"))
    (*asked)["agent_mode"] = "thinking";
  return asked;
}

void submit_task(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  auto asked = task_of(to);
  if (!asked)
    return;
  on_pool(in, to, [in, to, asked = std::move(*asked)] {
    job_request x;
    x.graph = task_graph();
    auto graph = in->graphs.resolve(to->in.who.ns, x);
    if (auto wrong = std::get_if<graph_trouble>(&graph))
      return to->out(graph_answer(*wrong));
    x.spec.ns = to->in.who.ns;
    x.spec.queue = task_queue;
    x.spec.graph = std::get<known_graph>(graph).id;
    x.spec.input = asked;
    if (auto& session = *asked.find(session_of_task)->string();
        session.size() <= limits::label_bytes_max)
      x.spec.labels.emplace(session_of_task, session);
    if (put_in_key(to, x.spec))
      submit_by_rule(in, to, x.spec, [in, to, asked](const submit_outcome& made) {
        answer_submit(in, to, asked, made);
      });
  });
}

void show_status(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  with_current(in, to, [in, to](const std::optional<job_info>& task) {
    to->out(json_answer(
        200,
        value::object{{"has_active_task", task.has_value()},
                      {"active_task", task ? active_task(*task, asked_of(in, *task)) : value{}}}));
  });
}

/// A list does not tell messages.
job_info with_messages(const api_ptr& in, job_info job) {
  if (auto whole = in->node.describe(job.id))
    job.messages = std::move(whole->messages);
  return job;
}

void show_details(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  with_current(in, to, [in, to](const std::optional<job_info>& task) {
    if (task)
      return to->out(json_answer(200, detailed_task(with_messages(in, *task), asked_of(in, *task),
                                                    all_moves_of(in, task->id))));
    to->out(
        json_answer(200, value::object{{"has_active_task", false}, {"message", "No active task"}}));
  });
}

/// One of the steps that clients ask for.
struct task_step {
  job_change to;
  std::string_view name, done, none;
};
constexpr task_step steps[] = {
    {job_change::pause, "pause", "Task paused", "No active task to pause"},
    {job_change::resume, "resume", "Task resumed", "No paused task to resume"},
    {job_change::stop, "stop", "Task stopped", "No active task to stop"},
};

void answer_step(const call_ptr& to, const task_step& step) {
  to->out(json_answer(
      200, value::object{{"success", true}, {"message", step.done}, {"operation", step.name}}));
}

/// A stopped task has ended when the answer leaves, unless that takes too long.
void await_stop(const api_ptr& in, const call_ptr& to, job_id id, const task_step& step) {
  auto give_up = std::make_shared<std::function<void()>>();
  *give_up = in->node.wait(id, [to, &step](const result<job_info>&) { answer_step(to, step); });
  to->out.after(stop_wait, [to, give_up, &step] {
    (*give_up)();
    answer_step(to, step);
  });
}

/// The task's state does not allow the step: it has ended meanwhile, or will, or, which is no
/// refusal, it is paused already.
void answer_refused_step(const api_ptr& in, const call_ptr& to, job_id id, const task_step& step) {
  in->node.get(id, [to, &step](const result<job_info>& task) {
    if (step.to == job_change::pause && task && task->state == job_state::paused)
      return answer_step(to, step);
    to->out(problem_answer(refusal::no_task, std::string{step.none}));
  });
}

void take_step(const api_ptr& in, const call_ptr& to, const task_step& step,
               const std::string& reason) {
  with_current(in, to, [in, to, &step, reason](const std::optional<job_info>& task) {
    if (!task || (step.to == job_change::resume && task->state != job_state::paused))
      return to->out(problem_answer(refusal::no_task, std::string{step.none}));
    in->node.change(task->id, step.to, reason, [in, to, &step, id = task->id](const status& x) {
      if (x.code() == ec::illegal_request)
        return answer_refused_step(in, to, id, step);
      if (!x)
        return refuse(to, x.error());
      if (step.to == job_change::stop)
        return await_stop(in, to, id, step);
      answer_step(to, step);
    });
  });
}

/// The body's `reason`, which may be missing; the call is answered if it is malformed.
std::optional<std::string> reason_of(const call_ptr& to) {
  constexpr std::string_view known[] = {"reason"};
  if (has_bad_query(to, {}))
    return {};
  auto body = members_of(to, known);
  if (!body)
    return {};
  auto reason = body->find("reason");
  if (!reason || reason->is_null())
    return "";
  if (!reason->string())
    return refuse(to, {ec::invalid_spec, "reason: it must be a string"}), std::nullopt;
  return *reason->string();
}

template <std::size_t Step>
void change_task(const api_ptr& in, const call_ptr& to) {
  if (auto reason = reason_of(to))
    take_step(in, to, steps[Step], *reason);
}

/// The text that the task is to be told; the call is answered if there is none.
std::optional<std::string> instruction_of(const call_ptr& to) {
  constexpr std::string_view known[] = {"reason"};
  if (has_bad_query(to, {}))
    return {};
  auto body = members_of(to, known);
  if (!body)
    return {};
  auto reason = body->find("reason");
  auto text = reason ? reason->string() : nullptr;
  if (text && !text->empty())
    return *text;
  auto wrong = !reason ? problem{"missing_key", "", "the key `reason` is missing"}
               : !text ? problem{"wrong_type", "/reason", "expected a string"}
                       : problem{"out_of_range", "/reason", "expected at least one character"};
  to->out(problem_answer(refusal::no_instruction, wrong.detail, {wrong}));
  return {};
}

void answer_told(const call_ptr& to, const std::string& text) {
  to->out(json_answer(200, value::object{{"success", true},
                                         {"message", "New task added successfully"},
                                         {"operation", "add_new_task"},
                                         {"new_task", text}}));
}

void add_to_task(const api_ptr& in, const call_ptr& to) {
  auto text = instruction_of(to);
  if (!text)
    return;
  with_current(in, to, [in, to, text = *text](const std::optional<job_info>& task) {
    auto none = [to] {
      to->out(problem_answer(refusal::no_task, "No active task to add new task to"));
    };
    if (!task)
      return none();
    in->node.add_message(task->id, text, [to, text, none](const status& x) {
      if (x.code() == ec::illegal_request) // It has ended meanwhile, or is about to.
        none();
      else if (x)
        answer_told(to, text);
      else
        refuse(to, x.error());
    });
  });
}

/// A job of another namespace is answered as one that is not there.
void refuse_no_task(const call_ptr& to, const error& why) {
  if (why.code != ec::no_such_job)
    return refuse(to, why);
  to->out(with_text(problem_answer(why), "next", "GET /api/tasks lists the tasks"));
}

void get_task(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  in->node.get(to->in.arguments.job, [in, to](const result<job_info>& found) {
    if (!found)
      return refuse_no_task(to, found.error());
    auto& job = *found;
    if (job.ns != to->in.who.ns)
      return refuse_no_task(to, core::no_such_job(job.id));
    if (job.queue != task_queue)
      return refuse_no_task(to, {ec::no_such_job, "job " + to_string(job.id) + " is no task"});
    on_pool(in, to, [in, to, job] {
      to->out(json_answer(200, task_record(job, asked_of(in, job), all_moves_of(in, job.id))));
    });
  });
}

/// The jobs of a list; `running` are also those that are about to end.
result<std::vector<job_info>> tasks_of(const api_ptr& in, job_filter filter) {
  if (filter.state != job_state::running)
    return in->node.list(filter);
  filter.state.reset();
  filter.unfinished = true;
  auto most = std::exchange(filter.limit, list_max);
  auto jobs = in->node.list(filter);
  if (!jobs)
    return jobs;
  std::erase_if(*jobs,
                [](auto& x) { return task_status(x.state) != task_status(job_state::running); });
  jobs->resize(std::min(jobs->size(), most));
  return jobs;
}

void list_tasks(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"status"}, {"session_id"}, {"limit"}};
  if (has_bad_query(to, known))
    return;
  job_filter filter;
  filter.ns = to->in.who.ns;
  filter.queue = task_queue;
  if (auto text = find(to->in.query, "status")) {
    filter.state = parse_task_status(*text);
    if (!filter.state)
      return to->out(problem_answer(
          refusal::bad_query, "the parameter `status` is none of the states of a task: "
                                  + core::quoted(*text) + "; GET /api/tasks/statuses lists them"));
  }
  if (auto session = find(to->in.query, "session_id"))
    filter.labels.emplace(session_of_task, *session);
  auto limit = number_in(to->in.query, "limit", list_usual, 1, list_max);
  if (!limit)
    return to->out(problem_answer(refusal::bad_query, limit.error().detail));
  filter.limit = *limit;
  on_pool(in, to, [in, to, filter] {
    auto jobs = tasks_of(in, filter);
    if (!jobs)
      return refuse(to, jobs.error());
    value::list all;
    std::size_t looked = 0;
    for (auto& job : *jobs) {
      auto whole = in->node.get(job.id); // A list tells no results.
      all.push_back(
          task_record(whole ? *whole : job, asked_of(in, job), moves_of(in, job.id, looked)));
    }
    to->out(json_answer(200, value::object{{"tasks", std::move(all)}}));
  });
}

void show_statuses(const api_ptr&, const call_ptr& to) {
  if (!has_bad_query(to, {}))
    to->out(json_answer(200, value::object{{"statuses", task_statuses()}}));
}

} // namespace

void add_task_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  all.push_back({"POST", "/api/tasks/submit", bound(to, submit_task), json, action::submit});
  all.push_back({"GET", "/api/tasks/status", bound(to, show_status)});
  all.push_back({"GET", "/api/tasks/detailed-status", bound(to, show_details)});
  all.push_back({"GET", "/api/tasks/statuses", bound(to, show_statuses)});
  all.push_back({"POST", "/api/tasks/pause", bound(to, change_task<0>), empty, action::control});
  all.push_back({"POST", "/api/tasks/resume", bound(to, change_task<1>), empty, action::control});
  all.push_back({"POST", "/api/tasks/stop", bound(to, change_task<2>), empty, action::control});
  all.push_back(
      {"POST", "/api/tasks/add-new-task", bound(to, add_to_task), empty, action::control});
  all.push_back({"GET", "/api/tasks", bound(to, list_tasks)});
  all.push_back({"GET", "/api/tasks/{job}", bound(to, get_task)});
}

} // namespace troupe::http
