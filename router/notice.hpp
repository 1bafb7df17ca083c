#pragma once

#include "router/reason.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

struct Route;

/// What a session wants to hear: its settings, as its own backend tells them.
struct NoticeSettings {
    bool heard = false;     ///< client_min_messages lets NOTICEs through
    bool searches = false;  ///< veer.notice: one for each search

    friend bool operator==(const NoticeSettings&, const NoticeSettings&) = default;
};

/// The question for them: one row, no locks, no error of its own.
std::string_view notice_query();

/// Nothing heard where the row is not as expected.
NoticeSettings decode_notice_settings(const std::vector<std::optional<std::string_view>>& row);

/// The text of a NoticeResponse.
struct Notice {
    std::string message;
    std::string detail;
};

/// Who answers a search, why, and on which route (null: on none).
///
///     NOTICE:  veer answered this search from its index (local)
///     DETAIL:  All that is asked for is in the copy. Route public.docs.e <=>, share 100 %.
Notice notice_of_search(Reason why, const Route* route);

/// The same of the statement that an EXPLAIN is about, which nobody runs as it is.
Notice notice_of_explain(Reason why, const Route* route);

/// A sentence for people; empty for a code that nobody explained.
std::string_view explanation(Reason why);

}  // namespace veer::router
