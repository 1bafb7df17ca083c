#pragma once

#include "router/cutover/precedence.hpp"
#include "router/cutover/rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// What a statement's comments say.
///
///     SELECT ... /* veer: route=postgres key=tenant-42 ef=200 */
///     SELECT ... /* NO LOAD BALANCE */                       (pgpool's: route=postgres)
///     SELECT ... /*app='web',route='%2Fsearch'*/             (sqlcommenter's: tags)
///
/// 1. One comment that says postgres, in letters of any case, outweighs all that say veer.
/// 2. Words that are not understood are ignored, as comments are.
/// 3. Bounded: at most `comments_max` comments are read, and where there are more, what they say is
///    taken for postgres; `tags_max` tags are kept.
struct Hint {
    cutover::Voice route = cutover::Voice::silent;
    std::string key;  ///< instead of veer.key
    std::vector<cutover::Tag> tags;
    std::optional<std::uint32_t> ef;  ///< instead of hnsw.ef_search, in veer's index

    static constexpr std::size_t comments_max = 8;
    static constexpr std::size_t tags_max = 16;

    friend bool operator==(const Hint&, const Hint&) = default;
};

/// A statement's text with each comment between its tokens blanked out, so that positions stay and
/// a comment that is new each time makes no new shape; and what those comments said.
struct Uncommented {
    std::string text;
    Hint hint;
};

/// Cheap where there is no comment.
Uncommented uncomment(std::string text);

}  // namespace veer::router
