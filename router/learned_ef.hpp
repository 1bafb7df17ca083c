#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// What EfLearner has come to for a route, so that a restart need not begin anew.
struct LearnedEf {
    std::string route;
    std::string index;  ///< which one it was learnt of, any bytes; of others it says nothing
    double target = 0;
    std::uint32_t ef = 0;
    std::uint64_t rows = 0;  ///< that the index had then

    friend bool operator==(const LearnedEf&, const LearnedEf&) = default;
};

/// Where such a route may go on: what was learnt of the same index for the same target, of about as
/// many rows. Twice as many, or half, are other rows than it was learnt of.
std::optional<std::uint32_t> known_ef(const std::vector<LearnedEf>& all, const LearnedEf& route);

/// More routes than anybody has.
inline constexpr std::size_t learned_max = 1000;

/// In the place of what is known of its route. Past learned_max what was learnt first is forgotten.
/// False, and nothing changes, where that is known, of not much fewer or more rows.
bool remember(std::vector<LearnedEf>& all, LearnedEf now);

/// A longer file is none of veer's.
inline constexpr std::size_t learned_text_max = 1'048'576;

/// As a file keeps them:
///
///     veer learned ef 1
///     EF TARGET ROWS INDEX ROUTE        a line each; INDEX in hexadecimal digits, ROUTE to its end
///     end 9a3f01cc8d2e4b17              content_hash of all before
///
/// A route whose name has a line feed is left out.
std::string to_text(const std::vector<LearnedEf>& learned);

/// Nothing where it is not as to_text() writes it, or too long: it is learnt anew.
std::vector<LearnedEf> learned_efs(std::string_view text);

}  // namespace veer::router
