#include "index/route_index.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/unit/index/drawn_filter.hpp"
#include "tests/unit/index/values.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace veer::index::test {

namespace {

constexpr std::size_t rows_max = 40;
constexpr int depth_max = 4;

/// A table and the index of it, changed and asked as the input says.
class Copy {
  public:
    explicit Copy(const Draw& draw) : draw_{draw} {
        rows_.resize(1 + draw() % rows_max);
        for (std::size_t row = 0; row < rows_.size(); ++row) {
            put(row);
        }
    }

    void change() { put(draw_() % rows_.size()); }

    /// What is known of a condition that was asked before is extended.
    void ask() {
        if (draw_() % 2 == 0) {
            filter_ = any_filter(draw_, depth_max);
        }
        std::vector<std::string> wanted;
        for (std::size_t row = 0; row < rows_.size(); ++row) {
            if (truth(filter_, rows_[row]) == true) {
                wanted.push_back(std::to_string(row));
            }
        }
        index_.publish();
        const auto hits =
            index_.search({.query = query_, .k = rows_max, .ef = 1, .filter = &filter_});
        fuzz::require(hits.has_value());
        std::vector<std::string> found;
        for (const Hit& hit : *hits) {
            found.push_back(hit.key);
        }
        std::sort(wanted.begin(), wanted.end());
        std::sort(found.begin(), found.end());
        fuzz::require(found == wanted);
    }

  private:
    void put(std::size_t row) {
        rows_[row] = any_row(draw_);
        const std::vector<float> vector{static_cast<float>(draw_() % 8)};
        fuzz::require(index_.put(std::to_string(row), vector, sent(rows_[row])).has_value());
    }

    const Draw& draw_;
    RouteIndex index_{IndexOptions{.dimensions = 1, .columns = drawn_types()}};
    std::vector<Values> rows_;
    Filter filter_ = any_filter(draw_, depth_max);
    const std::vector<float> query_{3};
};

}  // namespace

}  // namespace veer::index::test

/// Rows, changes of rows and conditions on them: the index passes exactly those rows of which a
/// plain evaluation of the condition is true.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::index::test;
    std::size_t read = 0;
    const Draw draw = [&]() -> std::uint64_t {
        return read < size ? data[read++] : 0;
    };
    Copy copy{draw};
    while (read < size) {
        if (draw() % 4 == 0) {
            copy.change();
        } else {
            copy.ask();
        }
    }
    return 0;
}
