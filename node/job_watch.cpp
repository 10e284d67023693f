#include "node/job_watch.hpp"

#include "core/duration.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "node/client/event_follower.hpp"
#include "node/out_json.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

show_mode mode_of(const console& to, format how, bool quiet) {
  if (quiet || how == format::ndjson)
    return show_mode::quiet;
  return to.can_draw() ? show_mode::drawn : show_mode::plain;
}

} // namespace

job_watch::job_watch(console& to, client::node_client& node, const interrupts& signals,
                     const job_info& job, format how, bool quiet)
    : to_(to),
      node_(node),
      signals_(signals),
      id_(job.id),
      how_(how),
      view_(to, mode_of(to, how, quiet),
            job.graph_name.empty() ? to_string(job.id) : one_line(job.graph_name)) {
  if (mode_of(to, how, quiet) == show_mode::drawn && job.vertices <= tree_vertices_max)
    draw_tree(job);
}

/// Without its graph a job is shown without a tree.
void job_watch::draw_tree(const job_info& job) {
  auto graph = node_.graph(job.graph, [this] { return signals_.caught() == 0; });
  if (!graph)
    return;
  tree_.emplace(graph_json::parse_graph(graph_json::to_json(*graph)).spec);
  view_.show_above(
      [this](const text_style& style, std::size_t rows) { return tree_->text(style, rows); });
}

bool job_watch::take(const event& x, std::string_view json) {
  view_.take(x, true);
  if (tree_)
    tree_->apply(x);
  if (how_ == format::ndjson)
    lost_ = !out_json_text(to_, json) || !to_.out("\n");
  return !lost_;
}

/// What is due meanwhile. False: it is enough.
bool job_watch::may_wait() {
  auto now = clock::now();
  view_.tick(now);
  lost_ = lost_ || (how_ == format::ndjson && !to_.flush());
  late_ = limit_ && now - begun_ >= *limit_;
  return !lost_ && !late_ && signals_.caught() == 0;
}

void job_watch::tell_connection(const trouble* lost) {
  if (!lost)
    return view_.note("note: the node is back");
  auto why = one_line(lost->why.empty() ? std::string{lost->kind->what} : lost->why);
  auto is_gone = lost->kind == &kind_of(fault::unreachable);
  view_.note((is_gone ? "note: the node is gone, trying again: "
                      : "note: the node cannot tell of the job, trying again: ")
             + why);
}

trouble job_watch::given_up(const trouble& why) const {
  auto next = "the job goes on; `troupe jobs watch " + to_string(id_) + "` looks again";
  if (lost_)
    return {fault::output_failed, {}, {}, next};
  if (late_) {
    trouble x{error{ec::timed_out, "it has not ended within " + core::to_text(*limit_)}, next};
    x.what = "job " + to_string(id_) + " still runs";
    return x;
  }
  if (auto signal = signals_.caught(); signal != 0)
    return {fault_of(signal), {}, {}, next};
  return why;
}

std::optional<trouble> job_watch::run(std::optional<std::chrono::milliseconds> limit) {
  limit_ = limit;
  client::event_taker taker{[this](const event& x, std::string_view json) { return take(x, json); },
                            [this] {
                              view_.restart();
                              if (tree_)
                                tree_->restart();
                              view_.note("note: the node was restored from a backup");
                            },
                            [this](const trouble* lost) { tell_connection(lost); },
                            [this] { return may_wait(); }};
  auto wrong = client::follow_events(node_, id_, 1, taker);
  view_.tick(clock::now());
  view_.finish();
  if (lost_ || wrong)
    return given_up(wrong ? *wrong : trouble{fault::output_failed});
  if (how_ == format::ndjson && !to_.flush())
    return trouble{
        fault::output_failed, {}, {}, "`troupe jobs result " + to_string(id_) + "` shows its end"};
  return {};
}

} // namespace troupe::node
