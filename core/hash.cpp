#include "core/hash.hpp"

namespace troupe::core {

hasher& hasher::operator()(const value& x) {
  (*this)(static_cast<int>(x.kind()));
  if (auto b = x.boolean())
    (*this)(*b);
  else if (auto i = x.integer())
    (*this)(*i);
  else if (auto n = x.number())
    (*this)(*n);
  else if (auto s = x.string())
    (*this)(*s);
  else if (auto items = x.items())
    for ((*this)(items->size()); auto& item : *items)
      (*this)(item);
  else if (auto members = x.members())
    for ((*this)(members->size()); auto& [key, content] : *members)
      (*this)(key)(content);
  return *this;
}

} // namespace troupe::core
