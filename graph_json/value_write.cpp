#include "graph_json/json_text.hpp"
#include "graph_json/number_text.hpp"
#include "graph_json/value_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::graph_json {

namespace {

enum class form : std::uint8_t { compact, pretty, canonical };

/// Writes values one into another; recursion goes as deep as the value does.
class writer {
public:
  writer(form f, std::string& out) : form_(f), out_(out) {}

  void write(const value& x) {
    switch (x.kind()) {
    case value::type::null: out_ += "null"; break;
    case value::type::boolean: out_ += *x.boolean() ? "true" : "false"; break;
    case value::type::integer: write_integer(*x.integer()); break;
    case value::type::number: write_number(*x.number()); break;
    case value::type::string: append_json_string(*x.string(), out_); break;
    case value::type::list: write_list(*x.items()); break;
    case value::type::object: write_object(*x.members()); break;
    }
  }

private:
  using member = value::object::value_type;

  void write_integer(std::int64_t x) {
    char text[24];
    out_.append(text, std::to_chars(text, text + sizeof text, x).ptr);
  }

  void write_number(double x) {
    if (form_ == form::canonical)
      append_ecmascript_number(x, out_);
    else
      append_number(x, out_);
  }

  void write_list(const value::list& items) {
    out_ += '[';
    ++depth_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      separate(i == 0);
      write(items[i]);
    }
    close(items.empty(), ']');
  }

  void write_object(const value::object& members) {
    out_ += '{';
    ++depth_;
    bool first = true;
    auto before = [](auto& a, auto& b) { return utf16_less(a.first, b.first); };
    if (form_ != form::canonical || std::is_sorted(members.begin(), members.end(), before)) {
      for (auto& x : members)
        write_member(x, std::exchange(first, false));
    } else {
      for (auto x : in_order_of_utf16(members))
        write_member(*x, std::exchange(first, false));
    }
    close(members.empty(), '}');
  }

  static std::vector<const member*> in_order_of_utf16(const value::object& members) {
    std::vector<const member*> all;
    all.reserve(members.size());
    for (auto& x : members)
      all.push_back(&x);
    std::sort(all.begin(), all.end(),
              [](auto a, auto b) { return utf16_less(a->first, b->first); });
    return all;
  }

  void write_member(const member& x, bool first) {
    separate(first);
    append_json_string(x.first, out_);
    out_ += form_ == form::pretty ? ": " : ":";
    write(x.second);
  }

  void separate(bool first) {
    if (!first)
      out_ += ',';
    new_line();
  }

  void close(bool empty, char bracket) {
    --depth_;
    if (!empty)
      new_line();
    out_ += bracket;
  }

  void new_line() {
    if (form_ == form::pretty)
      (out_ += '\n').append(2 * depth_, ' ');
  }

  form form_;
  std::string& out_;
  std::size_t depth_ = 0;
};

std::string written(const value& x, form f) {
  std::string out;
  writer{f, out}.write(x);
  return out;
}

} // namespace

std::string to_json(const value& x) { return written(x, form::compact); }

std::string to_json_pretty(const value& x) { return written(x, form::pretty); }

std::string canonical(const value& x) { return written(x, form::canonical); }

void append_canonical(const value& x, std::string& out) { writer{form::canonical, out}.write(x); }

value normal(double x) {
  if (!std::isfinite(x))
    return {};
  if (x != std::trunc(x))
    return x;
  std::string text;
  append_ecmascript_number(x, text);
  std::int64_t integer = 0;
  auto end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, integer);
  return error == std::errc{} && stop == end ? value{integer} : value{x};
}

} // namespace troupe::graph_json
