#pragma once

#include "core/duration.hpp"
#include "core/names.hpp"
#include "graph_json/fields.hpp"
#include "node/config/settings.hpp"

/// How values get into and out of the configuration, by type. `Place` is a lambda that leads from
/// the configuration to the member.
namespace troupe::node::setting_types {

using graph_json::json_place;
using graph_json::problem_list;
using type = setting::type;

template <auto Place>
constexpr setting text(std::string_view pointer) {
  return {
      pointer,
      type::text,
      false,
      0,
      0,
      {},
      [](const setting&, node_config& to, value& from, const json_place& at, problem_list& out) {
        if (auto x = from.string())
          Place(to) = *x;
        else
          out.wrong_type(at, from, "a string");
      },
      [](const node_config& from) { return value{std::string{Place(from)}}; }};
}

template <auto Place>
constexpr setting boolean(std::string_view pointer, bool live = false) {
  return {
      pointer,
      type::boolean,
      live,
      0,
      1,
      {},
      [](const setting&, node_config& to, value& from, const json_place& at, problem_list& out) {
        if (auto x = from.boolean())
          Place(to) = *x;
        else
          out.wrong_type(at, from, "true or false");
      },
      [](const node_config& from) { return value{bool{Place(from)}}; }};
}

template <auto Place>
constexpr setting integer(std::string_view pointer, std::int64_t least, std::int64_t most,
                          bool live = false) {
  return {
      pointer,
      type::integer,
      live,
      least,
      most,
      {},
      [](const setting& s, node_config& to, value& from, const json_place& at, problem_list& out) {
        auto range = std::to_string(s.least) + " to " + std::to_string(s.most);
        if (auto x = from.integer(); x && *x >= s.least && *x <= s.most)
          Place(to) = static_cast<std::decay_t<decltype(Place(to))>>(*x);
        else if (from.is_number())
          out.add("out_of_range", at, "expected an integer of " + range);
        else
          out.wrong_type(at, from, "an integer of " + range);
      },
      [](const node_config& from) { return value{static_cast<std::int64_t>(Place(from))}; }};
}

/// At least `least` ms.
template <auto Place>
constexpr setting duration(std::string_view pointer, std::int64_t least = 0, bool live = false) {
  return {
      pointer,
      type::duration,
      live,
      least,
      0,
      {},
      [](const setting& s, node_config& to, value& from, const json_place& at, problem_list& out) {
        std::chrono::milliseconds x{s.least};
        graph_json::read_duration(x, from, at, out);
        if (x.count() < s.least)
          out.add("out_of_range", at,
                  "expected at least " + core::to_text(std::chrono::milliseconds{s.least}));
        else
          Place(to) = x;
      },
      [](const node_config& from) { return value{core::to_text(Place(from))}; }};
}

template <auto Place>
constexpr setting word(std::string_view pointer, std::span<const std::string_view> words,
                       bool live = false) {
  return {
      pointer,
      type::word,
      live,
      0,
      0,
      words,
      [](const setting& s, node_config& to, value& from, const json_place& at, problem_list& out) {
        auto x = from.string();
        if (!x)
          out.wrong_type(at, from, "a string");
        else if (std::ranges::find(s.words, *x) == s.words.end())
          out.unknown_word(at, *x, s.words);
        else
          Place(to) = *x;
      },
      [](const node_config& from) { return value{std::string{Place(from)}}; }};
}

/// A list of texts, none of them empty.
template <auto Place>
constexpr setting texts(std::string_view pointer, bool live = false) {
  return {
      pointer,
      type::texts,
      live,
      0,
      0,
      {},
      [](const setting&, node_config& to, value& from, const json_place& at, problem_list& out) {
        auto items = from.items();
        if (!items)
          return out.wrong_type(at, from, "a list of strings");
        Place(to).clear();
        for (std::size_t i = 0; i < items->size(); ++i) {
          auto x = (*items)[i].string();
          if (!x)
            out.wrong_type(at / i, (*items)[i], "a string");
          else if (x->empty())
            out.add("bad_value", at / i, "an empty string names nothing");
          else
            Place(to).push_back(*x);
        }
      },
      [](const node_config& from) {
        value::list all;
        for (auto& x : Place(from))
          all.push_back(x);
        return value{std::move(all)};
      }};
}

} // namespace troupe::node::setting_types
