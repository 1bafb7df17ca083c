#pragma once

#include "router/cutover/evidence.hpp"
#include "router/cutover/state.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace veer::router::cutover {

/// What survives a restart of veer.
struct Stored {
    struct Route {
        Position position;
        Evidence evidence;

        friend bool operator==(const Route&, const Route&) = default;
    };

    bool panic = false;
    std::uint64_t audit_seq = 0;
    std::string audit_hash;  ///< of the audit's last line
    std::map<std::string, Route> routes;

    friend bool operator==(const Stored&, const Stored&) = default;
};

/// Text lines, version first, checksum last:
///
///     veer cutover state 1
///     panic<TAB>0
///     audit<TAB>118<TAB>b81e...
///     route<TAB>public.documents.embedding <=><TAB>state=canary<TAB>desired=25<TAB>...
///     end<TAB>9a3f01cc8d2e4b17
///
/// 1. decode(encode(s)) is s.
/// 2. A text that is cut short, changed, or of a newer version is never half believed.
std::string encode(const Stored& stored);

/// The state, or a sentence that says what is wrong and what to do.
std::variant<Stored, std::string> decode(std::string_view text);

}  // namespace veer::router::cutover
