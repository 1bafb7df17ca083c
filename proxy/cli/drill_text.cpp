#include "proxy/cli/drill_text.hpp"

#include "proxy/cli/text_output.hpp"

#include <string_view>

namespace veer::proxy::cli {

namespace {

constexpr int not_confirmed = 2;

std::string field(const Answer& answer, std::string_view name) {
    return cli::field(answer, 0, name);
}

std::string made_up(const std::string& fault) {
    if (fault == "neighbours") {
        return "the index finds half of the neighbours";
    }
    if (fault == "wrong") {
        return "the index answers with wrong rows";
    }
    return fault == "slow" ? "the index is slow" : "the copy is behind";
}

std::string noticed(const Answer& answer) {
    const std::string answers = field(answer, "answers");
    const std::string guard = field(answer, "guard");
    const std::string after = field(answer, "rolled_back_ms");
    if (guard.empty() || after.empty()) {
        return "  no guard acted\n";
    }
    std::string text = "  guard " + guard + " acted";
    if (answers != "0") {
        text += " after " + answers + " compared answers";
        const std::string take = field(answer, "answers_take_ms");
        text += take.empty() ? "" : ", which this route has in " + take + " ms";
    }
    return text + "\n  the index' share was 0 after " + after + " ms\n";
}

std::string seen(const Answer& answer) {
    const std::string outcome = field(answer, "outcome");
    const std::string counts = field(answer, "diverted") + " sent there, " + field(answer, "late") +
                               " on their way from the index, " + field(answer, "client_errors") +
                               " errors at clients\n";
    if (outcome == "rolled_back") {
        return "  Postgres answered everything after " + field(answer, "confirmed_ms") +
               " ms: " + counts;
    }
    if (outcome == "no_traffic") {
        return "  nobody searched, so no search has shown it\n";
    }
    if (outcome == "still_index") {
        return "  the index still answered: " + counts;
    }
    return outcome == "interrupted" ? "  ended by a real move of the route\n" : "";
}

}  // namespace

std::string drill_text(const Answer& answer) {
    if (field(answer, "outcome").empty()) {
        return {};
    }
    return field(answer, "route") + ": rehearsed, " + made_up(field(answer, "fault")) + '\n' +
           noticed(answer) + seen(answer) + "  the share is what it was before\n";
}

int drill_exit(const Answer& answer) {
    const std::string outcome = field(answer, "outcome");
    if (outcome == "rolled_back") {
        return succeeded;
    }
    return outcome == "no_traffic" ? not_confirmed : failed;
}

}  // namespace veer::proxy::cli
