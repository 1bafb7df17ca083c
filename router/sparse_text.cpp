#include "router/sparse_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace veer::router {

namespace {

constexpr std::size_t elements_max = 16'000;
constexpr std::int64_t dimensions_max = 1'000'000'000;

/// Reads on from `at`; the first thing that does not fit makes it fail for good.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : at_{text.data()}, end_{text.data() + text.size()} {}

    bool failed() const { return failed_; }

    bool at_end() {
        skip_space();
        return at_ == end_;
    }

    /// Takes this character if it is the next one.
    bool take(char c) {
        skip_space();
        const bool there = at_ != end_ && *at_ == c;
        at_ += there ? 1 : 0;
        return there;
    }

    void fail() { failed_ = true; }

    void expect(char c) { failed_ = !take(c) || failed_; }

    template <class Number>
    Number number() {
        skip_space();
        Number value{};
        const auto [stop, error] = std::from_chars(at_, end_, value);
        failed_ = failed_ || error != std::errc{};
        at_ = stop;
        return value;
    }

  private:
    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || (*at_ >= '\t' && *at_ <= '\r'))) {
            ++at_;
        }
    }

    const char* at_;
    const char* end_;
    bool failed_ = false;
};

using Element = std::pair<std::int64_t, float>;

std::vector<Element> read_elements(Scanner& in) {
    std::vector<Element> elements;
    std::size_t count = 0;
    do {
        const auto index = in.number<std::int64_t>();
        in.expect(':');
        const auto value = in.number<float>();
        if (value != 0) {  // NaN, too: it is refused later on
            elements.emplace_back(index, value);
        }
        ++count;
    } while (!in.failed() && count <= elements_max && in.take(','));
    if (count > elements_max) {
        in.fail();
    }
    return elements;
}

}  // namespace

std::optional<storage::SparseVector> parse_sparse_text(std::string_view text) {
    Scanner in{text};
    std::vector<Element> elements;
    in.expect('{');
    if (!in.failed() && !in.take('}')) {
        elements = read_elements(in);
        in.expect('}');
    }
    in.expect('/');
    const auto dimensions = in.number<std::int64_t>();
    if (in.failed() || !in.at_end() || dimensions < 1 || dimensions > dimensions_max) {
        return std::nullopt;
    }
    std::sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) {
        return a.first < b.first;
    });
    storage::SparseVector sparse{static_cast<std::uint32_t>(dimensions), {}, {}};
    std::int64_t before = 0;
    for (const auto& [index, value] : elements) {
        if (index <= before || index > dimensions || !std::isfinite(value)) {
            return std::nullopt;
        }
        before = index;
        sparse.indices.push_back(static_cast<std::uint32_t>(index - 1));
        sparse.values.push_back(value);
    }
    return sparse;
}

}  // namespace veer::router
