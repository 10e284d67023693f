#pragma once

#include "graph_json/problem_list.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace troupe::graph_json {

/// One key of an object: how its value gets into a `Target`.
template <class Target>
struct field {
  std::string_view key;
  void (*read)(Target& to, value& from, const json_place& at, problem_list& out);
  bool is_required = false;
};

template <class Target>
std::vector<std::string_view> keys_of(std::span<const field<Target>> fields) {
  std::vector<std::string_view> keys;
  for (auto& f : fields)
    keys.push_back(f.key);
  return keys;
}

/// Reads the member `key` of the object at `object`; a key without a field is a problem.
template <class Target>
void read_field(std::span<const field<Target>> fields, Target& to, std::string_view key,
                value& from, const json_place& object, problem_list& out) {
  auto f = std::find_if(fields.begin(), fields.end(), [&](auto& x) { return x.key == key; });
  if (f == fields.end())
    out.unknown_key(object, key, keys_of(fields));
  else
    f->read(to, from, object / key, out);
}

/// Reads an object. All that is wrong in it goes to `out`.
template <class Target, std::size_t N>
void read_object(std::span<const field<Target>, N> fields, Target& to, value& from,
                 const json_place& at, problem_list& out) {
  auto members = from.members();
  if (!members)
    return out.wrong_type(at, from, "an object");
  for (auto& [key, x] : *members)
    read_field<Target>(fields, to, key, x, at, out);
  for (auto& f : fields)
    if (f.is_required && !members->contains(f.key))
      out.missing_key(at, f.key);
}

/// One word that stands for a value of an enumeration.
template <class Enum>
struct word {
  std::string_view text;
  Enum meaning;
};

template <class Enum, std::size_t N>
void read_word(std::span<const word<Enum>, N> words, Enum& to, const value& from,
               const json_place& at, problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a string");
  std::vector<std::string_view> allowed;
  for (auto& w : words) {
    if (w.text == *text) {
      to = w.meaning;
      return;
    }
    allowed.push_back(w.text);
  }
  out.unknown_word(at, *text, allowed);
}

/// `Read` of one member of the target, as a field wants it.
template <auto Read, auto Member>
constexpr auto member = [](auto& to, value& from, const json_place& at, problem_list& out) {
  Read(to.*Member, from, at, out);
};

/// `read_word` from a table, for `member`.
template <const auto& Words>
constexpr auto one_of = [](auto& to, value& from, const json_place& at, problem_list& out) {
  read_word(std::span{Words}, to, from, at, out);
};

/// `read_object` by a table, for `member`.
template <const auto& Fields>
constexpr auto object_of = [](auto& to, value& from, const json_place& at, problem_list& out) {
  read_object(std::span{Fields}, to, from, at, out);
};

/// The word for a value; one must be there.
template <class Enum, std::size_t N>
std::string_view word_of(std::span<const word<Enum>, N> words, Enum meaning) {
  auto found =
      std::find_if(words.begin(), words.end(), [&](auto& w) { return w.meaning == meaning; });
  return found->text;
}

/// A name as `core::is_name` says, else a problem.
void read_name(std::string& to, value& from, const json_place& at, problem_list& out);

/// A name that is not reserved.
void read_port(std::string& to, value& from, const json_place& at, problem_list& out);
void check_port(std::string_view name, const json_place& at, problem_list& out);

/// An integer of `least`…`most`.
void read_count(std::uint32_t& to, const value& from, std::uint32_t least, std::uint32_t most,
                const json_place& at, problem_list& out);

/// `10s`, `PT10S`, …: `core::parse_duration`.
void read_duration(std::chrono::milliseconds& to, value& from, const json_place& at,
                   problem_list& out);

/// A duration of more than zero.
void read_positive_duration(std::chrono::milliseconds& to, value& from, const json_place& at,
                            problem_list& out);

} // namespace troupe::graph_json
