#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::session {

/// Cheap lexical facts about statements that pass through; each errs on the safe side.

/// True for a SELECT in which no function can be called: no '(' anywhere. Such a statement changes
/// neither the session nor the database.
bool is_plain_select(std::string_view sql);

/// True where the text names one of veer's settings ("veer.route" and the like).
bool mentions_veer_setting(std::string_view sql);

/// "last" for `SHOW veer.last`, in any case and with white space or a semicolon around.
std::optional<std::string> shown_relation(std::string_view sql);

/// For DEALLOCATE: the statement's name, or "" for all, or for what is not understood.
std::optional<std::string> deallocated(std::string_view sql);

}  // namespace veer::proxy::session
