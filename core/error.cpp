#include "troupe/error.hpp"

namespace troupe {

const char* to_string(ec code) noexcept {
  using enum ec;
  switch (code) {
  case none: return "none";
  case no_such_job: return "no_such_job";
  case no_such_graph: return "no_such_graph";
  case no_such_vertex: return "no_such_vertex";
  case stale_token: return "stale_token";
  case illegal_request: return "illegal_request";
  case invalid_spec: return "invalid_spec";
  case too_large: return "too_large";
  case overloaded: return "overloaded";
  case fenced: return "fenced";
  case journal_failed: return "journal_failed";
  case journal_corrupt: return "journal_corrupt";
  case unknown_record: return "unknown_record";
  case newer_format: return "newer_format";
  case wrong_node: return "wrong_node";
  case already_open: return "already_open";
  case io_failed: return "io_failed";
  case no_space: return "no_space";
  case blob_missing: return "blob_missing";
  case not_ready: return "not_ready";
  case timed_out: return "timed_out";
  case unsupported: return "unsupported";
  case idempotency_conflict: return "idempotency_conflict";
  case condition_failed: return "condition_failed";
  }
  return "unknown";
}

} // namespace troupe
