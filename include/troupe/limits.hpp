#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound has a name here or in the configuration.
namespace troupe::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t name_bytes_max = 128;           ///< Vertex, queue, label, namespace.
inline constexpr std::size_t value_depth_max = 64;           ///< Nesting of JSON and values.
inline constexpr std::size_t record_value_bytes_max = 65536; ///< Above: a blob.
inline constexpr std::size_t value_bytes_max = 64 << 20;     ///< A value, blobs included.
inline constexpr std::size_t record_group_bytes_max = 1 << 20;
inline constexpr std::size_t batch_bytes_max = 4 << 20; ///< One shard's batch.
inline constexpr std::size_t gathered_bytes_max = 8
                                                  << 20; ///< Behind one append; then `overloaded`.
inline constexpr std::size_t graph_vertices_max = 1'000'000;
inline constexpr std::size_t graph_edges_max = 8'000'000;
inline constexpr std::size_t graph_problems_max = 100;    ///< Reported at once; then a count.
inline constexpr std::size_t graph_jq_programs_max = 256; ///< Distinct ones in a graph.
inline constexpr std::size_t vertex_ports_max = 1024;     ///< Input ports of one vertex.
inline constexpr std::size_t cycle_names_max = 100;       ///< Named of one cycle; then a count.
inline constexpr std::size_t suggestions_max = 1000;      ///< Names searched for a likely slip.
inline constexpr std::uint32_t attempts_max = 1000;       ///< `retry.max_attempts`.
inline constexpr std::uint32_t redeliveries_max = 5;      ///< Then the vertex has failed.
inline constexpr std::size_t label_bytes_max = 1024;      ///< The value of a label.
inline constexpr std::size_t labels_max = 32;             ///< Labels of one job.
inline constexpr auto duration_max = 876'000h;            ///< 100 years; any written duration.
inline constexpr auto cancel_grace = 10s;                 ///< From asking to killing.
inline constexpr auto close_grace = 2s;                   ///< The same, when a node closes.
inline constexpr auto aside_retry = 60s;      ///< Between looks at a job that cannot be read.
inline constexpr auto request_deadline = 60s; ///< For the runtime to answer a call.
inline constexpr auto cleanup_grace = 300s;   ///< Actors of ended jobs live on.
inline constexpr std::size_t ended_jobs_live_max = 4096; ///< Per shard; then the oldest go first.
inline constexpr std::size_t running_jobs_max = 10'000;  ///< Per shard; others wait as pending.
inline constexpr std::size_t end_waiters_max = 100'000;  ///< Per shard; then `overloaded`.
inline constexpr std::size_t blob_queue_bytes_max = 256 << 20; ///< Then no vertex starts.
inline constexpr auto blob_queue_retry = 50ms;  ///< Between looks at a queue of blobs that is full.
inline constexpr auto recovery_idle_max = 600s; ///< Without progress; then `open` gives up.
inline constexpr std::size_t pending_jobs_max = 1'000'000;      ///< Per shard; then `overloaded`.
inline constexpr std::size_t stream_bytes_max = 1 << 20;        ///< Stream events of one job.
inline constexpr std::size_t attempts_in_flight_max = 1024;     ///< Of one job; the others wait.
inline constexpr std::size_t pure_group_max = 256;              ///< Pure vertices in one message.
inline constexpr std::size_t log_piece_bytes_max = 65536;       ///< Of one stream event.
inline constexpr std::size_t said_gather_bytes_max = 8192;      ///< Lines that become one event.
inline constexpr std::size_t said_bytes_least = 32;             ///< A stream event counts no less.
inline constexpr std::size_t problem_bytes_max = 4096;          ///< Of a problem in a record.
inline constexpr std::size_t reason_bytes_max = 1024;           ///< Of a step of a job's life.
inline constexpr std::size_t job_messages_max = 100;            ///< That one job is told,
inline constexpr std::size_t job_messages_bytes_max = 64 << 10; ///< and of all of these.
inline constexpr std::size_t told_messages_bytes_max = 8 << 20; ///< To a worker, by one extension.
inline constexpr std::size_t conditions_out_max = 10'000;    ///< Edges with `when` from one vertex.
inline constexpr std::size_t work_fetch_bytes_max = 8 << 20; ///< Then no more is added to a fetch.
inline constexpr std::size_t link_window_max = 1024;   ///< Messages on their way to one shard.
inline constexpr std::size_t events_read_max = 1000;   ///< At once by one reader.
inline constexpr std::size_t result_reads_max = 1000;  ///< That wait for the disk.
inline constexpr std::size_t host_tasks_max = 10'000;  ///< Graphs and jobs of a host's actors.
inline constexpr std::size_t subscriptions_max = 1024; ///< Of a host's actors, all jobs.
inline constexpr std::uint32_t subscription_credit_max = 65536; ///< Events on their way to one.
inline constexpr std::size_t event_ring_bytes = 4 << 20;        ///< Per shard.
inline constexpr std::size_t segment_grain_bytes = 4096;        ///< Journal segments are multiples.
inline constexpr std::size_t segment_first_bytes = 1 << 20; ///< Each later one is twice as large,
inline constexpr std::size_t segment_bytes_max = 64 << 20;  ///< up to this.
inline constexpr std::size_t journal_write_bytes_max = 8 << 20; ///< Batches behind one sync.
inline constexpr std::size_t journal_write_batches_max = 256;   ///< Also: parts of one `pwritev`.
inline constexpr std::size_t journal_stretch_bytes = 1 << 20;   ///< An open may read this again,
inline constexpr std::size_t journal_probe_step = 256 << 10; ///< and looks for writes far behind.
inline constexpr std::size_t journal_spares_max = 2;         ///< Old segments kept for new ones.
inline constexpr auto data_pin_wait = 10s; ///< For the owner to end what it is removing.
inline constexpr auto disk_poll = 500ms;   ///< Between two looks at the free space.
inline constexpr auto disk_full_hold = 2s; ///< No new jobs after a write met a full disk.
inline constexpr std::uint64_t min_free_bytes_max = 256 << 20; ///< By default; or of the whole
inline constexpr std::uint64_t min_free_part = 20;             ///< file system one such part.
inline constexpr std::uint64_t reserve_bytes_max = 64 << 20;   ///< Given up when space ends.
inline constexpr std::uint64_t reserve_step_bytes = 4 << 20;   ///< Made of it at each look.
inline constexpr auto reserve_delay = 5s;                      ///< Short runs make none.
inline constexpr auto blob_age_min = 1h;                       ///< Younger blobs are not swept.
inline constexpr std::size_t blob_sweep_max = 100'000; ///< Old ones that one sweep takes up.
inline constexpr auto unused_graph_keep = 24h * 7; ///< Of a graph that no job names, since added.
inline constexpr std::size_t table_key_bytes_max = 500;         ///< A row's key in the snapshot.
inline constexpr std::size_t table_value_bytes_max = 256 << 20; ///< A row's value.
inline constexpr std::uint64_t snapshot_map_bytes = std::uint64_t{64} << 30; ///< Addresses only.
inline constexpr std::uint64_t snapshot_map_bytes_least = 16 << 20; ///< With few addresses.
inline constexpr std::uint64_t snapshot_map_bytes_max = std::uint64_t{16} << 40;
inline constexpr unsigned snapshot_readers_max = 1024;  ///< Read transactions, all processes.
inline constexpr auto snapshot_resize_wait = 10s;       ///< For all transactions to end.
inline constexpr std::size_t chunk_bytes_merged = 4096; ///< A job's smaller last chunk grows.
inline constexpr std::size_t chunk_bytes_max = 65536;   ///< Larger only for one large record.
inline constexpr auto idempotency_keep = 24h;           ///< A request's key, after its job's end.
inline constexpr std::size_t idempotency_purge_max = 10'000; ///< Keys that go with one window.
inline constexpr std::size_t list_scan_max = 10'000;  ///< Rows of a shard that one page looks at.
inline constexpr std::size_t list_counts_max = 256;   ///< Of a shard's counts, to plan a list by.
inline constexpr std::size_t list_namespaces_max = 8; ///< More than these: no index is walked.
inline constexpr std::size_t rows_page_max = 1000;    ///< Of jobs or of own rows, at once.
inline constexpr std::size_t snapshot_window_bytes = 4 << 20;      ///< Applied at once,
inline constexpr auto snapshot_window_age = 1s;                    ///< or when it is so old;
inline constexpr std::size_t snapshot_window_bytes_max = 16 << 20; ///< no more together.
// All that the snapshot lacks is read again by the next start, within 2 s: one processor takes in
// more than 45 MiB in a second of its time (`store_bench --only replay`), and shards share several.
inline constexpr std::size_t snapshot_lag_soft_bytes = 32 << 20; ///< New jobs are slowed down.
inline constexpr std::size_t snapshot_lag_hard_bytes = 64 << 20; ///< `overloaded`.
inline constexpr auto snapshot_retry_wait = 1s;                  ///< While the disk is full.
inline constexpr auto snapshot_maintain_interval = 60s;          ///< Looks for readers that died.
inline constexpr auto read_transaction_max = 1s; ///< Longer reads begin another and go on.

inline constexpr std::size_t admissions_per_turn = 64;  ///< Then another actor has its turn.
inline constexpr std::size_t recovery_step_jobs = 256;  ///< Rows that one turn looks at.
inline constexpr std::size_t early_requests_max = 4096; ///< Per shard, for jobs to be recovered.
inline constexpr auto admission_delay_max = 1s;         ///< A new job waits while the store lags.
inline constexpr std::size_t slowed_submits_max = 4096; ///< Per shard; then `overloaded`.
inline constexpr auto passivation_min = 1s;             ///< A shorter rest keeps its actor.
inline constexpr std::size_t passivation_vertices_per_second = 1000; ///< Large jobs rest longer.
inline constexpr std::size_t idempotency_key_bytes_max = 255;
inline constexpr std::size_t request_digest_bytes_max = 64;
inline constexpr auto retention_default = 24h * 7;         ///< Of jobs that did not fail.
inline constexpr auto retention_failed = 24h * 180;        ///< Of failed ones: a queue's dead list.
inline constexpr auto retention_interval = 1min;           ///< From one search to the next.
inline constexpr std::size_t retention_after_jobs = 4096;  ///< Or when so many have ended.
inline constexpr std::size_t retention_step_jobs = 256;    ///< Deleted by one record group.
inline constexpr std::size_t row_key_bytes_max = 256;      ///< Of an embedder's row.
inline constexpr std::size_t row_bytes_max = 65536;        ///< Its content.
inline constexpr std::size_t transaction_parts_max = 1024; ///< Rows, conditions and jobs, each.
inline constexpr auto sweep_interval = 1h;                 ///< Of blobs that nothing names.
inline constexpr auto sweep_retry = 1min;                  ///< After one that could not mark.
inline constexpr auto sweep_settle_max = 60s;            ///< For the journal, before a sweep marks.
inline constexpr auto work_lease = 30s;                  ///< Of a vertex that a worker has,
inline constexpr auto work_lease_min = 1s;               ///< unless it asks for another one
inline constexpr auto work_lease_max = 24h;              ///< between these.
inline constexpr auto work_wait_max = 60s;               ///< A worker waits for work.
inline constexpr std::size_t work_fetch_max = 100;       ///< Vertices for one worker at once.
inline constexpr std::size_t work_queues_max = 32;       ///< In which one worker looks.
inline constexpr std::size_t work_fetchers_max = 10'000; ///< Waiting workers; then `overloaded`.
inline constexpr std::size_t work_extend_max = 1000;     ///< Leases extended by one call.
inline constexpr std::size_t mapped_files_max = 64;      ///< Snapshots open in one process.
inline constexpr std::size_t verify_findings_max = 1000; ///< Told by one check; then a count.
inline constexpr std::size_t verify_graph_vertices = 4'000'000; ///< Of graphs, by each thread.
inline constexpr std::size_t verify_threads_max = 8; ///< Without an owner; no more than processors.
inline constexpr int copy_niceness = 10; ///< Of a backup beside the owner: it gives way.
inline constexpr std::uint64_t scrub_bytes_per_second = 1 << 20; ///< Looked at beside the work.
inline constexpr auto scrub_pass_min = 1h;                       ///< From one pass to the next.

// The HTTP interface, by default; what has a time-out is cut off after it.
inline constexpr std::size_t http_header_bytes_max = 16 << 10;
inline constexpr std::size_t http_body_bytes_max = 8 << 20;     ///< Streams have no such limit.
inline constexpr std::size_t http_bodies_bytes_max = 256 << 20; ///< Of all requests at once.
inline constexpr std::size_t http_line_bytes_max = 1 << 20;     ///< Of a batch.
inline constexpr std::size_t http_batch_in_flight_max = 1024; ///< Lines of a batch, until durable.
inline constexpr std::size_t http_query_parts_max = 64;       ///< Parameters of one request.
inline constexpr std::size_t http_graph_vertices_max = 100'000;
inline constexpr std::size_t http_piece_bytes_max = 64 << 10;  ///< Of a stream, at once.
inline constexpr std::size_t http_small_body_bytes = 64 << 10; ///< Larger ones have own threads.
inline constexpr std::size_t http_connections_max = 10'000;
inline constexpr std::size_t http_connections_reserved = 100; ///< Of these, for operators.
inline constexpr unsigned http_work_threads = 4;              ///< For what reads the disk.
inline constexpr std::size_t http_work_waiting_max = 1024;    ///< Then `overloaded`.
inline constexpr std::size_t http_bulk_in_flight_max = 256;   ///< Steps of one bulk request.
inline constexpr auto http_header_time = 10s;                 ///< From its first byte.
inline constexpr auto http_idle_time = 75s;                   ///< Between two requests.
inline constexpr auto http_body_time = 60s;                   ///< For a whole body, or one piece.
inline constexpr auto http_write_time = 30s;                  ///< For a whole answer, or one piece.
inline constexpr auto http_ping_interval = 15s;               ///< Of a stream without news.
inline constexpr auto http_wait_max = 300s;                   ///< Of `?wait=`.
inline constexpr auto http_shutdown_time = 10s;               ///< For requests that go on.

} // namespace troupe::limits
