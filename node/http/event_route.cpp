#include "node/http/event_stream.hpp"
#include "node/http/request_head.hpp"

namespace troupe::http {

namespace {

constexpr std::string_view sse_type = "text/event-stream", ndjson_type = "application/x-ndjson";

event_format format_of(const request& in) {
  return prefers(in.fields, ndjson_type, sse_type)
                 || prefers(in.fields, "application/ndjson", sse_type)
             ? event_format::ndjson
             : event_format::sse;
}

response stream_answer(event_format how, std::shared_ptr<body_source> stream) {
  response x{200, std::string{how == event_format::sse ? sse_type : ndjson_type}};
  x.stream = std::move(stream);
  return x;
}

void open_stream(const api_ptr& in, const call_ptr& to, const event_place& at, const job_info& job,
                 bool cancels) {
  auto how = format_of(to->in);
  auto first = at.lost > 0 ? gap_text(1, at.lost, "restored", how) : "";
  stream_about about{job.id, at.from, job.events, to->in.id};
  in->node.events(
      job.id, at.from, [in, to, how, first, about, cancels](const result<event_reader>& x) {
        if (!x)
          return refuse(to, x.error());
        if (cancels)
          cancel_when_gone(in, to, about.job);
        auto writer = writer_of(how, in->node.incarnation());
        to->out(stream_answer(how, std::make_shared<event_stream>(in, *x, writer, about, first)));
      });
}

/// Why a place is refused where no reader can have come to.
std::string beyond_text(const event_place& at, const job_info& job) {
  return "event " + std::to_string(at.from) + " is not the next one: the job has "
         + std::to_string(job.events) + " so far; go on with `from` up to "
         + std::to_string(job.events + 1)
         + ", or from 1 if `incarnation` of /v1/stats is another than before";
}

void read_events(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"from"}, {"on_disconnect"}};
  if (has_bad_query(to, known))
    return;
  auto cancels = cancels_on_disconnect(to);
  if (!cancels)
    return;
  auto at = event_place_of(to->in, in->node.incarnation());
  if (!at)
    return to->out(problem_answer(refusal::bad_query, at.error().detail));
  with_job(in, to, [in, to, at = *at, cancels = *cancels](const job_info& job) {
    if (terminal(job.state) && at.from > job.events)
      return to->out({204}); // All was read; a browser does not ask again.
    if (at.from > job.events + 1)
      return to->out(problem_answer(refusal::bad_query, beyond_text(at, job)));
    open_stream(in, to, at, job, cancels);
  });
}

} // namespace

void add_event_route(const api_ptr& to, std::vector<route>& all) {
  all.push_back({"GET", "/v1/jobs/{job}/events", bound(to, read_events)});
}

} // namespace troupe::http
