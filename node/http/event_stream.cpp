#include "node/http/event_stream.hpp"

#include "graph_json/value_json.hpp"
#include "node/show.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::http {

namespace {

constexpr std::size_t events_at_once = 64; ///< Each may have `limits::record_value_bytes_max`.
constexpr auto event_number_max = std::uint64_t(-1) / 2; ///< Numbers are integers of 64 bits.

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t x = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()
      || x > event_number_max)
    return {};
  return x;
}

result<event_place> place_behind(std::string_view last, std::uint64_t incarnation) {
  auto dot = last.find('.');
  auto number = number_of(last.substr(0, dot));
  auto life = dot == last.npos ? std::optional<std::uint64_t>{1} : number_of(last.substr(dot + 1));
  if (!number || !life)
    return error{ec::invalid_spec, "Last-Event-ID is the number of an event, as `id` has it"};
  if (*life != incarnation)
    return event_place{1, *number};
  return event_place{*number + 1, 0};
}

/// What has no number of its own.
std::string notice(std::string_view type, const value& data, event_format how) {
  if (how == event_format::ndjson)
    return graph_json::to_json(value::object{{"event", type}, {"data", data}}) + "\n";
  return "event: " + std::string{type} + "\ndata: "
         + graph_json::to_json(value::object{{"event", type}, {"data", data}}) + "\n\n";
}

} // namespace

void cancel_when_gone(const api_ptr& in, const call_ptr& to, job_id id) {
  to->out.when_unwanted([in, id](unwanted why) {
    if (why == unwanted::gone)
      in->node.change(id, job_change::cancel, "the client that read its events has gone",
                      [](const status&) {});
  });
}

result<event_place> event_place_of(const request& in, std::uint64_t incarnation) {
  if (auto last = in.fields.find("Last-Event-ID"))
    return place_behind(*last, incarnation);
  auto from = number_in(in.query, "from", 1, 1, event_number_max);
  if (!from)
    return from.error();
  return event_place{*from, 0};
}

std::string text_of(const event& x, event_format how, std::uint64_t incarnation) {
  auto json = graph_json::to_json(node::to_value(x));
  if (how == event_format::ndjson)
    return json + "\n";
  auto id = std::to_string(x.id) + (incarnation == 1 ? "" : "." + std::to_string(incarnation));
  return "id: " + id + "\nevent: " + std::string{x.type} + "\ndata: " + json + "\n\n";
}

std::string gap_text(std::uint64_t from, std::uint64_t to, std::string_view reason,
                     event_format how) {
  return notice("gap",
                value::object{{"from", static_cast<std::int64_t>(from)},
                              {"to", static_cast<std::int64_t>(to)},
                              {"reason", reason}},
                how);
}

event_writer writer_of(event_format how, std::uint64_t incarnation) {
  auto text = [how, incarnation](std::span<const event> events) {
    std::string all;
    for (auto& x : events)
      all += text_of(x, how, incarnation);
    return all;
  };
  auto closing = [how](std::string_view reason) {
    return notice("closing", value::object{{"reason", reason}}, how);
  };
  auto gap = [how](std::uint64_t from, std::uint64_t to) {
    return gap_text(from, to, "retention", how);
  };
  return {text, closing, how == event_format::sse ? ": ping\n\n" : "", gap};
}

void event_stream::next(taken then) {
  std::unique_lock lock{mutex_};
  if (auto given = std::exchange(given_, {}); given != decltype(given){})
    if (auto& told = in_->outside.event_taken)
      told(std::chrono::steady_clock::now() - given);
  if (ended_ || !first_.empty()) {
    auto first = std::exchange(first_, {});
    given_ = std::chrono::steady_clock::now();
    lock.unlock();
    return then(std::move(first));
  }
  taker_ = std::move(then);
  lock.unlock();
  look();
}

/// For who has set `reading_`. Nobody else reads on before this piece has its taker.
void event_stream::give(std::string piece) {
  std::unique_lock lock{mutex_};
  reading_ = again_ = false;
  auto then = std::exchange(taker_, {});
  given_ = std::chrono::steady_clock::now();
  lock.unlock();
  then(std::move(piece));
}

/// What happened before the reader came did not wait in a queue.
void event_stream::note_queued(const event& newest) const {
  auto& told = in_->outside.event_queued;
  if (told && newest.time >= opened_)
    told(std::max(std::chrono::system_clock::now() - newest.time,
                  std::chrono::system_clock::duration{0}));
}

/// Has the events looked at; each connection has at most two such tasks waiting.
void event_stream::look() {
  in_->pool.post([self = shared_from_this()] { self->read(); }, true);
}

/// The job was deleted meanwhile, or the node fails: there will be no more, and no `end`. How many
/// events a deleted job had is known as far as it was when the stream began.
std::string event_stream::text_without_end(ec why) const {
  if (why != ec::no_such_job)
    return how_.closing(to_string(why));
  auto gap = how_.gap ? how_.gap(next_, std::max(next_, about_.known)) : "";
  return gap + how_.closing("deleted");
}

/// What the writer has held back, if there is something.
std::optional<std::string> event_stream::text_held_back() const {
  auto text = how_.rest ? how_.rest() : "";
  return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

/// What is to be sent; nothing: these events are not told.
std::optional<std::string> event_stream::text_of_all(const result<std::vector<event>>& events) {
  auto ended = !events || events->empty() || events->back().type == "end";
  auto text = events ? how_.text(*events) : "";
  if (ended)
    text += text_held_back().value_or("");
  if (!events)
    text += text_without_end(events.code());
  if (events && !events->empty())
    next_ = events->back().id + 1;
  if (text.empty() && !ended)
    return {};
  std::scoped_lock lock{mutex_};
  ended_ = ended;
  return text;
}

/// Asks to be told when there is more. False: there may be already.
bool event_stream::rest() {
  std::unique_lock lock{mutex_};
  if (!std::exchange(armed_, true)) {
    lock.unlock();
    from_.when_more([weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self)
        return;
      {
        std::scoped_lock lock{self->mutex_};
        self->armed_ = false;
      }
      self->look();
    });
    lock.lock();
  }
  if (std::exchange(again_, false))
    return false;
  reading_ = false;
  return true;
}

/// Reads what there is; one thread at a time, another one has it look again.
void event_stream::read() {
  {
    std::scoped_lock lock{mutex_};
    if (!taker_ || ended_)
      return;
    if (reading_) {
      again_ = true;
      return;
    }
    reading_ = true;
  }
  for (;;) {
    auto events = from_.next(std::chrono::milliseconds{0}, events_at_once);
    auto waits = !events && events.code() == ec::timed_out;
    if (events && !events->empty())
      note_queued(events->back());
    auto text = waits ? text_held_back() : text_of_all(events);
    if (!text && waits && rest())
      return;
    if (text)
      return give(std::move(*text));
  }
}

/// A failed journal tells nobody: so it is looked at now and then.
std::string event_stream::idle() {
  look();
  return how_.ping;
}

void event_stream::cut() {
  if (auto& told = in_->outside.reader_cut)
    told(about_.request, about_.job);
}

std::string event_stream::farewell(unwanted why) {
  return how_.closing(why == unwanted::revoked ? "revoked" : "shutdown");
}

} // namespace troupe::http
