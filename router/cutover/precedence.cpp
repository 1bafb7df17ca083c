#include "router/cutover/precedence.hpp"

#include "router/cutover/text.hpp"

#include <algorithm>

namespace veer::router::cutover {

Voice voice_from_text(std::string_view text) {
    if (same_letters(text, "postgres") || same_letters(text, "postgresql")) {
        return Voice::postgres;
    }
    return same_letters(text, "veer") ? Voice::veer : Voice::silent;
}

Heard weigh(const Voices& voices) {
    const auto postgres = [](Decided by) {
        return Heard{.veer = false, .by = by};
    };
    if (voices.cause == Cause::panic) {
        return postgres(Decided::panic);
    }
    if (!voices.eligible) {
        return postgres(Decided::ineligible);
    }
    if (voices.session == Voice::postgres) {
        return postgres(Decided::session_route);
    }
    if (voices.hint == Voice::postgres) {
        return postgres(Decided::hint);
    }
    if (voices.rule_postgres) {
        return postgres(Decided::rule);
    }
    if (voices.cause != Cause::none && voices.cause != Cause::stepped_down) {
        return postgres(Decided::guard);
    }
    if (voices.quarantined) {
        return postgres(Decided::quarantine);
    }
    const bool asked = voices.session == Voice::veer || voices.hint == Voice::veer;
    if (asked && (voices.role_allows_veer || voices.rule_allows_veer)) {
        return {.veer = true, .by = Decided::forced};
    }
    const double share = std::min(voices.share, voices.rule_max_percent.value_or(100.0));
    const bool inside = voices.bucket * 100.0 < share;
    return {.veer = inside, .by = inside ? Decided::inside : Decided::outside};
}

}  // namespace veer::router::cutover
