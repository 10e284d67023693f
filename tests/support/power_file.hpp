#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe::tests {

/// What a power loss does to all that was not synced.
enum class fate {
  none,   ///< Nothing of it is on the disk,
  all,    ///< everything is,
  chosen, ///< or each part of it is or is not, at random.
};

/// The content of one file: what is durable, and what was done to it since, in order. The system
/// writes pages back in any order, each as it stood at some moment, and a disk may take a part of
/// a page only. A file's new length may be durable before its content is: then zeros are read.
class power_file {
public:
  static constexpr std::size_t sector = 512, page = 4096;

  power_file() = default;
  explicit power_file(std::string durable) : durable_(std::move(durable)) {}

  void write(std::uint64_t at, std::uint64_t offset, std::uint64_t size, std::string data) {
    data.resize(size);
    changes_.push_back({at, offset, size, std::move(data), false, false});
  }
  void resize(std::uint64_t at, std::uint64_t size) {
    changes_.push_back({at, 0, size, {}, true, false});
  }
  /// The last change is durable: its sectors with all that was done to them before.
  void settle_last() { changes_.back().settled = true; }

  /// What was done before `covers` is durable.
  void sync(std::uint64_t covers) {
    auto behind =
        std::find_if(changes_.begin(), changes_.end(), [&](auto& x) { return x.at >= covers; });
    for (auto x = changes_.begin(); x != behind; ++x)
      apply(durable_, *x);
    changes_.erase(changes_.begin(), behind);
  }

  /// It is written to through memory: its content may be anything.
  void map() { mapped_ = true; }

  /// The content as the program sees it.
  std::string now() const {
    auto content = durable_;
    for (auto& x : changes_)
      apply(content, x);
    return content;
  }
  bool mapped() const noexcept { return mapped_; }
  bool pending() const noexcept { return !changes_.empty(); }

  /// The content that a power loss leaves.
  std::string left(fate how, std::mt19937_64& random) const {
    if (mapped_)
      return noise(how, random);
    if (changes_.empty() || how == fate::all)
      return now();
    auto content = durable_;
    auto size = size_after(choose(least_for_size(), changes_.size(), how, random));
    auto end = size;
    for (auto& x : changes_)
      end = std::max(end, x.offset + x.size);
    content.resize(std::max<std::uint64_t>(end, content.size()));
    for (auto begin : changed_pages(end))
      leave_page(content, begin, how, random);
    content.resize(size);
    return content;
  }

private:
  struct change {
    std::uint64_t at, offset, size;
    std::string data;
    bool resizes, settled;

    /// Whether it changes what is between `begin` and `end`.
    bool touches(std::uint64_t begin, std::uint64_t end) const {
      return resizes ? size < end : offset < end && begin < offset + size;
    }
  };

  static void apply(std::string& content, const change& x) {
    if (x.resizes)
      return content.resize(x.size);
    content.resize(std::max<std::uint64_t>(content.size(), x.offset + x.size));
    content.replace(x.offset, x.size, x.data);
  }

  /// How many of the changes are on the disk.
  static std::size_t choose(std::size_t least, std::size_t most, fate how,
                            std::mt19937_64& random) {
    return how == fate::none ? least : least + random() % (most - least + 1);
  }

  std::size_t least_for_size() const { return least(0, UINT64_MAX); }

  /// The changes up to the last settled one in a part of the file.
  std::size_t least(std::uint64_t begin, std::uint64_t end) const {
    for (auto n = changes_.size(); n > 0; --n)
      if (changes_[n - 1].settled && changes_[n - 1].touches(begin, end))
        return n;
    return 0;
  }

  std::uint64_t size_after(std::size_t n) const {
    std::uint64_t size = durable_.size();
    for (std::size_t i = 0; i < n; ++i)
      size = changes_[i].resizes ? changes_[i].size
                                 : std::max(size, changes_[i].offset + changes_[i].size);
    return size;
  }

  std::vector<std::uint64_t> changed_pages(std::uint64_t end) const {
    std::vector<std::uint64_t> pages;
    for (auto& x : changes_) {
      auto last = x.resizes ? end : x.offset + x.size;
      for (auto at = (x.resizes ? x.size : x.offset) / page * page; at < last; at += page)
        pages.push_back(at);
    }
    std::sort(pages.begin(), pages.end());
    pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
    return pages;
  }

  /// The page as it stood at one moment; torn, each of its sectors as at another.
  void leave_page(std::string& content, std::uint64_t begin, fate how,
                  std::mt19937_64& random) const {
    bool torn = random() % 3 == 0;
    auto whole = choose(0, changes_.size(), how, random);
    for (auto at = begin; at < begin + page; at += sector) {
      auto n = torn ? choose(0, changes_.size(), how, random) : whole;
      n = std::max(n, least(at, at + sector));
      for (std::size_t i = 0; i < n; ++i)
        apply_within(content, changes_[i], at, at + sector);
    }
  }

  static void apply_within(std::string& content, const change& x, std::uint64_t begin,
                           std::uint64_t end) {
    auto from = std::max(begin, x.resizes ? x.size : x.offset);
    auto to = std::min(
        {end, x.resizes ? end : x.offset + x.size, static_cast<std::uint64_t>(content.size())});
    if (from >= to)
      return;
    if (x.resizes)
      content.replace(from, to - from, to - from, '\0');
    else
      content.replace(from, to - from, x.data, from - x.offset, to - from);
  }

  std::string noise(fate how, std::mt19937_64& random) const {
    auto content = now();
    if (how == fate::none)
      return {};
    for (auto& byte : content)
      byte = static_cast<char>(random());
    return content;
  }

  std::string durable_;
  std::vector<change> changes_;
  bool mapped_ = false;
};

} // namespace troupe::tests
