#include "proxy/verify_audit.hpp"

#include "proxy/auth/crypto.hpp"
#include "router/cutover/journal.hpp"

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>
#include <variant>

namespace veer::proxy {

namespace {

std::optional<std::string> content(const std::filesystem::path& path) {
    const std::ifstream stream(path, std::ios::binary);
    if (!stream.is_open()) {
        return std::nullopt;
    }
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

}  // namespace

std::string audit_hash(std::string_view line) {
    return auth::hexadecimal(auth::sha256(line).view());
}

boost::system::result<router::cutover::Verified, std::string> verify_audit(
    const std::filesystem::path& file
) {
    using router::cutover::AuditHead;
    using router::cutover::Stored;
    // The state first: lines are written before it, so that all it knows of are there by then.
    std::optional<AuditHead> head;
    if (const auto text = content(file.parent_path() / "cutover.state")) {
        const auto decoded = router::cutover::decode(*text);
        if (const auto* why = std::get_if<std::string>(&decoded)) {
            return "cutover.state beside it: " + *why;
        }
        const Stored& stored = std::get<Stored>(decoded);
        head = AuditHead{.seq = stored.audit_seq, .hash = stored.audit_hash};
    }
    const auto audit = content(file);
    if (!audit) {
        return file.string() + " cannot be read.";
    }
    return router::cutover::verify(*audit, audit_hash, head);
}

}  // namespace veer::proxy
