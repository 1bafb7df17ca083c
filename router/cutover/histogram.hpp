#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::router::cutover {

/// How often each value of [0, 1] was seen, on a grid of hundredths.
///
/// All that a betting test ever needs (betting.hpp): adding up, storing, merging and recomputing
/// are those of counters. k = 10 and k = 100 lie on the grid exactly.
class Histogram {
  public:
    static constexpr std::size_t bins = 101;

    /// Where a value off the grid goes: what speaks for veer is rounded down, what speaks against
    /// it up, so that the grid errs on the careful side both times.
    enum class Rounding : std::uint8_t { down, up };

    static std::size_t bin_of(double value, Rounding rounding);

    static constexpr double value_of(std::size_t bin) { return static_cast<double>(bin) / 100.0; }

    void add(std::size_t bin, std::uint64_t count = 1) { counts_.at(bin) += count; }

    void add(const Histogram& other);

    std::uint64_t at(std::size_t bin) const { return counts_.at(bin); }

    std::uint64_t count() const;

    /// 0 where nothing was seen.
    double mean() const;

    friend bool operator==(const Histogram&, const Histogram&) = default;

  private:
    std::array<std::uint64_t, bins> counts_{};
};

/// "90:4,100:996": the bins that are not empty.
std::string to_text(const Histogram& histogram);
std::optional<Histogram> histogram_from_text(std::string_view text);

}  // namespace veer::router::cutover
