#include "node/http/batch.hpp"

#include "core/payload.hpp"
#include "graph_json/value_json.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/new_job.hpp"

namespace troupe::http {

namespace {

constexpr std::size_t out_bytes_max = 256 << 10; ///< Then no more lines are read.

} // namespace

value::object line_answer(const submitted& made, bool gone) {
  value::object all{{"status", made.replayed ? 200 : 201},
                    {"id", to_string(made.id)},
                    {"replayed", made.replayed}};
  if (gone)
    all.emplace("deleted", true);
  return all;
}

batch::batch(api_ptr in, const request& from)
    : in_(std::move(in)),
      who_(from.who),
      lines_(from.stream),
      room_(from.room),
      trace_(trace_in(from.fields)) {}

void batch::next(taken then) {
  {
    std::scoped_lock lock{mutex_};
    taker_ = std::move(then);
  }
  give();
  read_on();
}

std::string batch::done() {
  std::scoped_lock lock{mutex_};
  return batch_done(made_, refused_, ids_);
}

/// Hands out what has been answered; the end, if nothing more can come.
void batch::give() {
  std::unique_lock lock{mutex_};
  auto done = over_ && in_flight_ == 0;
  if (!taker_ || (out_.empty() && !done))
    return;
  auto then = std::exchange(taker_, {});
  auto piece = std::exchange(out_, {});
  lock.unlock();
  then(std::move(piece));
}

/// Asks for more lines if there is room.
void batch::read_on() {
  {
    std::scoped_lock lock{mutex_};
    if (reading_ || over_ || in_flight_ >= limits::http_batch_in_flight_max
        || bytes_ >= batch_bytes_max || out_.size() >= out_bytes_max)
      return;
    reading_ = true;
  }
  lines_->next([self = shared_from_this()](result<std::string> piece) {
    self->take_piece(std::move(piece));
  });
}

/// Answers the line that has begun, and reads no more.
void batch::stop_reading(int status, value problem) {
  auto x = std::make_shared<line>();
  {
    std::scoped_lock lock{mutex_};
    x->number = ++number_;
    ++in_flight_;
    over_ = true;
  }
  refuse(x, status, std::move(problem));
}

void batch::stop_reading(refusal why, std::string detail) {
  stop_reading(
      kind_of(why).status,
      problem_value(why, std::move(detail) + "; this line and all behind it were not read"));
}

/// What has been read is still answered.
bool batch::wind_up() {
  {
    std::scoped_lock lock{mutex_};
    if (over_)
      return true;
  }
  stop_reading(refusal::closing, "the node ends");
  return true;
}

/// Counts what came and is not answered. False: a line has begun that there is no room for.
/// `mutex_` is held.
bool batch::hold() { return !room_ || room_->hold(bytes_ + begun_) || begun_ == 0; }

/// Nothing more is taken from a batch that is over: it has been said where it ends.
bool batch::is_over() {
  std::scoped_lock lock{mutex_};
  reading_ = reading_ && !over_;
  return over_;
}

void batch::take_piece(result<std::string> piece) {
  if (is_over())
    return give();
  bool whole = true, has_room = true, last = piece && piece->empty();
  if (last)
    take_line(split_.take());
  else if (piece)
    whole = split_.add(*piece, [this](std::string text) { take_line(std::move(text)); });
  {
    std::scoped_lock lock{mutex_};
    begun_ = split_.begun();
    has_room = hold();
  }
  if (!piece)
    stop_reading(refusal_of_body(piece.code()), piece.error().detail);
  else if (!whole)
    stop_reading(refusal::body_too_large,
                 "a line has at most " + std::to_string(limits::http_line_bytes_max) + " bytes");
  else if (!has_room)
    stop_reading(status_of(ec::overloaded),
                 problem_value(error{ec::overloaded, "the node holds too many bytes of other "
                                                     "requests; this line and all behind it were "
                                                     "not read"}));
  {
    std::scoped_lock lock{mutex_};
    reading_ = false;
    over_ = over_ || last;
  }
  give();
  read_on();
}

void batch::take_line(std::string text) {
  auto x = std::make_shared<line>();
  {
    std::scoped_lock lock{mutex_};
    x->number = ++number_;
    if (is_blank(text))
      return;
    ++in_flight_;
    bytes_ += text.size();
    x->bytes = text.size();
    x->text = std::move(text);
    waiting_.push_back(x);
  }
  go_on();
}

/// The next line that waits. Null: there is none, or another one has the turn.
batch::line_ptr batch::take_turn() {
  std::scoped_lock lock{mutex_};
  if (has_turn_ || waiting_.empty())
    return {};
  auto x = std::move(waiting_.front());
  waiting_.pop_front();
  has_turn_ = true;
  return x;
}

void batch::end_turn() {
  std::scoped_lock lock{mutex_};
  has_turn_ = false;
}

/// Submits the lines in the order in which they came. Those behind one that is large, or that has
/// to wait for the disk, wait for it.
void batch::go_on() {
  while (auto x = take_turn()) {
    auto is_small = x->text.size() <= limits::http_small_body_bytes;
    if (!is_small || !read(x))
      return go_on_aside(x, is_small);
    end_turn();
  }
}

/// The same on a thread that may wait, from a line on that has the turn.
void batch::go_on_aside(const line_ptr& x, bool is_read) {
  auto go_on = [self = shared_from_this(), x, is_read] {
    if (is_read || !self->read(x))
      self->resolve(x);
    self->end_turn();
    self->go_on();
  };
  in_->pool.post(std::move(go_on), true); // One for each batch.
}

/// Reads a line and submits it, or refuses it. False: it has to be resolved before.
bool batch::read(const line_ptr& x) {
  auto parsed = read_job_request(x->text, true);
  if (parsed.malformed || !parsed.errors.empty()) {
    refuse(x, answer_of(parsed).status, problem_of(parsed));
    return true;
  }
  x->asked = std::move(parsed.request);
  auto& spec = x->asked.spec;
  spec.ns = who_.ns;
  if (!spec.idempotency_key.empty())
    spec.request_digest = digest_text(x->text);
  put_in_trace(in_, trace_, spec);
  x->text = {};
  if (core::encoded_size(spec.input) > limits::record_value_bytes_max)
    return false;
  auto known = in_->graphs.find(who_.ns, x->asked);
  if (known)
    submit(x, std::move(*known));
  return known.has_value();
}

void batch::resolve(const line_ptr& x) {
  x->resolved = true;
  submit(x, in_->graphs.resolve(who_.ns, x->asked));
}

/// Out of its turn: a graph that goes while a batch names it has no order to keep.
void batch::resolve_aside(const line_ptr& x) {
  in_->pool.post([self = shared_from_this(), x] { self->resolve(x); }, true);
}

void batch::submit(const line_ptr& x, std::variant<known_graph, graph_trouble> graph) {
  if (auto wrong = std::get_if<graph_trouble>(&graph)) {
    auto problem = wrong->what ? problem_value(*wrong->what, wrong->why.detail, wrong->found)
                               : problem_value(wrong->why, wrong->found);
    return refuse(x, graph_answer(*wrong).status, std::move(problem));
  }
  x->asked.spec.graph = std::get<known_graph>(graph).id;
  if (auto why = only_alone(in_, x->asked.spec.queue))
    return refuse(x, status_of(why->code), problem_value(*why));
  in_->node.submit_once(
      x->asked.spec, [self = shared_from_this(), x](const result<submitted>& made) {
        if (made.code() == ec::no_such_graph && x->asked.graph && !x->resolved)
          return self->resolve_aside(x); // It was known, and is deleted.
        if (!made)
          return self->refuse(x, status_of(made.code()), problem_value(made.error()));
        self->answer(x, *made);
      });
}

void batch::answer(const line_ptr& x, const submitted& made) {
  when_gone_is_known(in_, made, [self = shared_from_this(), x, made](bool gone) {
    self->end(x, line_answer(made, gone));
  });
}

void batch::refuse(const line_ptr& x, int status, value problem) {
  end(x, {{"status", status}, {"error", std::move(problem)}});
}

/// The answer to a line is known, and durable.
void batch::end(const line_ptr& x, value::object answer) {
  answer.emplace("line", static_cast<std::int64_t>(x->number));
  auto id = answer.find("id");
  auto made = id != answer.end() ? " " + *id->second.string() : "";
  auto text = graph_json::to_json(value{std::move(answer)}) + "\n";
  {
    std::scoped_lock lock{mutex_};
    ++(made.empty() ? refused_ : made_);
    if (ids_.size() < batch_ids_bytes_max)
      ids_ += made;
    --in_flight_;
    bytes_ -= x->bytes;
    hold();
    out_ += text;
  }
  give();
  read_on();
}

} // namespace troupe::http
