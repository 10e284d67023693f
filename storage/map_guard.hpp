#pragma once

#include <cstddef>
#include <string>

namespace troupe::storage {

/// How a process ends whose mapped file was cut off or is damaged: `unavailable`, as
/// `docs/errors.md` lists it.
inline constexpr int damaged_map_exit_code = 6;

/// While it is there, a SIGBUS or SIGSEGV at an address inside its range prints what happened and
/// what to do, and ends the process with `damaged_map_exit_code`. Other signals go where they went
/// before. Thread-safe. There are `limits::mapped_files_max` at a time.
class map_guard {
public:
  map_guard() = default;
  /// `name` is the file of the line. `taken()` is false if too many ranges are guarded.
  map_guard(const void* begin, std::size_t bytes, const std::string& name);
  map_guard(map_guard&& other) noexcept;
  map_guard& operator=(map_guard&& other) noexcept;
  ~map_guard();

  bool taken() const noexcept { return slot_ != nullptr; }

private:
  struct map_slot* slot_ = nullptr;
};

/// What the printed lines begin with: `troupe: ` if this is never called. `text` stays there for
/// good. For a program whose errors have numbers.
void begin_map_line_with(const char* text) noexcept;

/// Puts the handlers in front of those that are set now. The first `map_guard` does it; again only
/// where others were set since that do not call those before them.
void catch_map_signals();

/// While it is there, this thread is inside the library that walks a mapped file: a SIGSEGV, SIGBUS
/// or SIGABRT of this thread, at whatever address, ends the process as `map_guard` does.
class inside_map {
public:
  inside_map() noexcept;
  ~inside_map();
  inside_map(const inside_map&) = delete;
  inside_map& operator=(const inside_map&) = delete;
};

/// Ends the process as a signal in a guarded map does. `why` is part of the line.
[[noreturn]] void end_for_damaged_map(const char* why) noexcept;

} // namespace troupe::storage
