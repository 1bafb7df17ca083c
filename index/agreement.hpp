#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace veer::index {

/// How well codes tell who is near: of the ten nearest to whom is asked about, the share that is
/// among the twenty nearest by code.
class Agreement {
  public:
    /// Asks about one among `count` others, whose distances are exact(i) and coded(i).
    template <class Exact, class Coded>
    void ask(std::size_t count, Exact exact, Coded coded) {
        constexpr std::size_t near = 10;
        const auto nearest = nearest_of(count, near, exact);
        const auto by_code = nearest_of(count, 2 * near, coded);
        agreed_ += static_cast<std::size_t>(std::count_if(
            nearest.begin(),
            nearest.end(),
            [&](std::size_t i) {
                return std::find(by_code.begin(), by_code.end(), i) != by_code.end();
            }
        ));
        asked_ += nearest.size();
    }

    /// 1 where nobody was asked about.
    double share() const {
        return asked_ == 0 ? 1 : static_cast<double>(agreed_) / static_cast<double>(asked_);
    }

  private:
    /// Those of 0 ... count - 1 with the smallest distances, or all, in no order.
    template <class Distance>
    static std::vector<std::size_t> nearest_of(
        std::size_t count, std::size_t wanted, Distance distance
    ) {
        std::vector<std::pair<float, std::size_t>> all(count);
        for (std::size_t i = 0; i < count; ++i) {
            all[i] = {distance(i), i};
        }
        wanted = std::min(wanted, count);
        const auto end = all.begin() + static_cast<std::ptrdiff_t>(wanted);
        std::nth_element(all.begin(), end, all.end());
        std::vector<std::size_t> nearest(wanted);
        std::transform(all.begin(), end, nearest.begin(), [](const auto& one) {
            return one.second;
        });
        return nearest;
    }

    std::size_t agreed_ = 0;
    std::size_t asked_ = 0;
};

}  // namespace veer::index
