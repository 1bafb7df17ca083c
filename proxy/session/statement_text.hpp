#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::session {

/// Cheap lexical facts about statements that pass through; each errs on the safe side.

/// True for a SELECT of constants: no call, nothing read, nothing made. Anything else may call a
/// function that writes or sets something: a view's name is as good as a call.
bool is_plain_select(std::string_view sql);

/// True where the text names one of veer's settings ("veer.route" and the like).
bool mentions_veer_setting(std::string_view sql);

/// True where the text may set veer.notice.
bool mentions_notice_setting(std::string_view sql);

/// True where the text may deallocate prepared statements, itself or in a block of code.
bool mentions_deallocate(std::string_view sql);

/// The name of the prepared statement that the text deallocates, and does nothing else; nothing
/// where that is not plain to see.
std::optional<std::string> deallocated_name(std::string_view sql);

/// True where the text may be about the portal of this name, or tell whether there is one: its name
/// is a word of it, or it is about all portals (CLOSE ALL, pg_cursors), or it may end a transaction
/// and begin another (AND CHAIN), or change how values look (client_encoding, extra_float_digits).
bool concerns_portal(std::string_view sql, std::string_view portal);

/// True where the text of a prepared statement may do so with portals of any name.
bool may_use_portals(std::string_view sql);

/// True where the text may set a savepoint: to which of several the session goes back later, and
/// which portals live through that, only Postgres is told.
bool mentions_savepoint(std::string_view sql);

/// "last" for `SHOW veer.last`, in any case and with white space or a semicolon around; "report
/// since 2026-05-04t14:22:07z" for `SHOW veer.report SINCE '2026-05-04T14:22:07Z'`.
std::optional<std::string> shown_relation(std::string_view sql);

}  // namespace veer::proxy::session
