#include "proxy/admin/read_command.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::proxy::admin {

namespace {

using Kind = Token::Kind;
using Verb = Command::Verb;

struct Form {
    std::string_view word;
    Verb verb = Verb::panic;
    bool needs_route = false;
};

constexpr std::array<Form, 24> forms{{
    {"panic", Verb::panic, false},        {"unpanic", Verb::unpanic, false},
    {"reload", Verb::reload, false},      {"off", Verb::off, true},
    {"observe", Verb::observe, true},     {"shadow", Verb::shadow, true},
    {"promote", Verb::promote, true},     {"rollback", Verb::rollback, true},
    {"hold", Verb::hold, true},           {"resume", Verb::resume, true},
    {"complete", Verb::complete, true},   {"reopen", Verb::reopen, true},
    {"confirm", Verb::confirm, true},     {"acknowledge", Verb::acknowledge, true},
    {"ack", Verb::acknowledge, true},     {"undo", Verb::undo, true},
    {"reshuffle", Verb::reshuffle, true}, {"verify", Verb::verify, false},
    {"drill", Verb::drill, false},        {"replay", Verb::replay, false},
    {"tune", Verb::tune, true},           {"mismatch", Verb::mismatch, false},
    {"rebuild", Verb::rebuild, true},     {"calibrate", Verb::calibrate, true},
}};

bool begins_option(const Token& token) {
    return token.is("to") || token.is("if") || token.is("for") || token.is("reason") ||
           token.is("set") || token.is("percent") || token.is("rate") || token.is("fault") ||
           token.is("dry") || token.is("ef") || token.is("recall");
}

/// What the cutover decides about.
bool is_move(Verb verb) {
    return verb != Verb::set_key && verb != Verb::reset_key && verb != Verb::ignore &&
           verb != Verb::unignore && verb != Verb::tune && verb != Verb::reload &&
           verb != Verb::verify && verb != Verb::drill && verb != Verb::replay &&
           verb != Verb::explain_route && verb != Verb::compare_search && verb != Verb::mismatch &&
           verb != Verb::rebuild && verb != Verb::calibrate && verb != Verb::doctor;
}

/// A dotted or quoted name, as it would be written without quotes.
std::optional<Failure> read_route(Cursor& cursor, std::string& name) {
    if (cursor.peek().kind == Kind::string) {
        name = cursor.next().text;
        return std::nullopt;
    }
    if (!cursor.peek().is_name() || begins_option(cursor.peek())) {
        return cursor.unexpected();
    }
    name = cursor.next().text;
    while (cursor.skip(".")) {
        if (!cursor.peek().is_name()) {
            return cursor.unexpected();
        }
        name += '.' + cursor.next().text;
    }
    return std::nullopt;
}

Result<double> read_percent(Cursor& cursor) {
    const Token token = cursor.peek();
    const bool negative = cursor.skip("-");
    const auto number = from_text(cursor.peek().text, Type::number);
    if (cursor.peek().kind != Kind::number || !number) {
        return cursor.unexpected();
    }
    cursor.next();
    cursor.skip("%");
    const double percent = std::get<double>(*number);
    if (negative || !(percent <= 100)) {
        return Failure{
            .sqlstate = "22023",
            .message = "a share is a number from 0 to 100",
            .position = token.at + 1};
    }
    return percent;
}

/// Requires what comes back to be whole and above zero.
Result<std::uint64_t> read_whole(Cursor& cursor) {
    const auto number = from_text(cursor.peek().text, Type::integer);
    if (cursor.peek().kind != Kind::number || !number || std::get<std::int64_t>(*number) <= 0) {
        return cursor.unexpected();
    }
    cursor.next();
    return static_cast<std::uint64_t>(std::get<std::int64_t>(*number));
}

/// Nothing where there is none of them; else what is wrong with it.
std::optional<Failure> read_option(Cursor& cursor, Command& command) {
    if (cursor.skip("to")) {
        const auto percent = read_percent(cursor);
        if (percent.has_error()) {
            return percent.error();
        }
        command.percent = *percent;
    } else if (cursor.skip_all({"if", "version"})) {
        const auto version = from_text(cursor.peek().text, Type::integer);
        if (!version) {
            return cursor.unexpected();
        }
        cursor.next();
        command.version = std::get<std::int64_t>(*version);
    } else if (cursor.peek().is("for") || cursor.peek().is("reason") ||
               (command.verb == Verb::drill && cursor.peek().is("fault"))) {
        const Token word = cursor.next();
        std::string& other = word.is("for") ? command.duration : command.reason;
        std::string& text = word.is("fault") ? command.fault : other;
        if (cursor.peek().kind != Kind::string) {
            return cursor.unexpected();
        }
        text = cursor.next().text;
    } else if (command.verb == Verb::replay && cursor.skip("ef")) {
        constexpr std::uint64_t ef_max = 1000;  // pgvector's
        const Token token = cursor.peek();
        const auto ef = read_whole(cursor);
        if (ef.has_error()) {
            return ef.error();
        }
        if (*ef > ef_max) {
            return Failure{
                .sqlstate = "22023",
                .message = "EF is a number from 1 to 1000",
                .position = token.at + 1};
        }
        command.ef_search = static_cast<std::uint32_t>(*ef);
    } else if ((is_move(command.verb) || command.verb == Verb::reload) &&
               cursor.skip_all({"dry", "run"})) {
        command.dry_run = true;
    } else if (command.verb == Verb::tune && cursor.skip("recall")) {
        const Token token = cursor.peek();
        const auto recall = from_text(token.text, Type::number);
        if (token.kind != Kind::number || !recall) {
            return cursor.unexpected();
        }
        cursor.next();
        command.recall = std::get<double>(*recall);
        if (!(command.recall > 0 && command.recall <= 1)) {
            return Failure{
                .sqlstate = "22023",
                .message = "a recall is a number above 0, at most 1",
                .position = token.at + 1};
        }
    } else if (command.verb == Verb::verify && cursor.skip("rate")) {
        const auto rate = from_text(cursor.peek().text, Type::number);
        if (cursor.peek().kind != Kind::number || !rate) {
            return cursor.unexpected();
        }
        cursor.next();
        command.rate = std::get<double>(*rate);
    } else {
        return cursor.unexpected();
    }
    return std::nullopt;
}

/// ALTER ROUTE r SET TRAFFIC n, SET ROUTE r PERCENT n; from behind ROUTE.
std::optional<Failure> read_traffic(Cursor& cursor, bool alter, Command& command) {
    if (auto problem = read_route(cursor, command.route)) {
        return problem;
    }
    command.verb = Verb::set_traffic;
    const bool keyword =
        alter ? cursor.skip_all({"set", "traffic"}) || cursor.skip_all({"set", "percent"})
              : cursor.skip("percent") || cursor.skip("traffic");
    if (!keyword) {
        return cursor.unexpected();
    }
    cursor.skip("=");
    const auto percent = read_percent(cursor);
    if (percent.has_error()) {
        return percent.error();
    }
    command.percent = *percent;
    return std::nullopt;
}

std::optional<Failure> read_verb(Cursor& cursor, Command& command) {
    const bool alter = cursor.peek().is("alter");
    if (cursor.skip_all({"alter", "route"}) || cursor.skip_all({"set", "route"})) {
        return read_traffic(cursor, alter, command);
    }
    const auto form = std::find_if(forms.begin(), forms.end(), [&cursor](const Form& each) {
        return cursor.peek().is(each.word);
    });
    if (form == forms.end()) {
        return cursor.unexpected();
    }
    cursor.next();
    command.verb = form->verb;
    if (form->verb == Verb::rollback && cursor.skip("all")) {
        command.verb = Verb::rollback_all;
        return std::nullopt;
    }
    if (form->verb == Verb::rebuild && !cursor.skip("index")) {
        return cursor.unexpected();
    }
    if (form->verb == Verb::replay || form->verb == Verb::mismatch) {
        cursor.skip("mismatch");
        const auto number = read_whole(cursor);
        if (number.has_error()) {
            return number.error();
        }
        command.mismatch = *number;
        return std::nullopt;
    }
    const bool named = !cursor.at_end() && !begins_option(cursor.peek());
    if (form->verb == Verb::resume && !named) {
        command.verb = Verb::unpanic;
        return std::nullopt;
    }
    const bool may_name = form->verb == Verb::verify || form->verb == Verb::drill;
    const bool route = form->needs_route || (may_name && named);
    return route ? read_route(cursor, command.route) : std::nullopt;
}

}  // namespace

std::optional<Result<Command>> read_asked_search(Cursor& cursor, std::string_view text) {
    Command command;
    std::size_t behind = 0;
    if (cursor.peek().is("explain") && cursor.peek(1).is("route")) {
        command.verb = Verb::explain_route;
        cursor.next();
        behind = cursor.next().end;
    } else if (cursor.peek().is("compare")) {
        command.verb = Verb::compare_search;
        behind = cursor.next().end;
    } else {
        return std::nullopt;
    }
    while (command.verb == Verb::explain_route && cursor.peek(1).kind == Kind::string &&
           (cursor.peek().is("role") || cursor.peek().is("application") ||
            cursor.peek().is("client"))) {
        const Token word = cursor.next();
        const Token name = cursor.next();
        std::string& other = word.is("role") ? command.role : command.application;
        (word.is("client") ? command.client : other) = name.text;
        behind = name.end;
    }
    if (cursor.at_end()) {
        return cursor.unexpected();
    }
    command.search = text.substr(behind);  // with its comments: they may be hints
    command.search.erase(0, command.search.find_first_not_of(" \t\r\n"));
    return command;
}

Result<Command> read_command(Cursor& cursor) {
    Command command;
    if (auto problem = read_verb(cursor, command)) {
        return *std::move(problem);
    }
    while (!cursor.at_end()) {
        if (auto problem = read_option(cursor, command)) {
            return *std::move(problem);
        }
    }
    return command;
}

std::string_view to_string(Verb verb) {
    if (verb == Verb::set_traffic) {
        return "ALTER ROUTE";
    }
    if (verb == Verb::rollback_all) {
        return "ROLLBACK";
    }
    static constexpr std::array<std::pair<Verb, std::string_view>, 30> tags{{
        {Verb::panic, "PANIC"},
        {Verb::unpanic, "UNPANIC"},
        {Verb::reload, "RELOAD"},
        {Verb::off, "OFF"},
        {Verb::observe, "OBSERVE"},
        {Verb::shadow, "SHADOW"},
        {Verb::promote, "PROMOTE"},
        {Verb::rollback, "ROLLBACK"},
        {Verb::hold, "HOLD"},
        {Verb::resume, "RESUME"},
        {Verb::complete, "COMPLETE"},
        {Verb::reopen, "REOPEN"},
        {Verb::confirm, "CONFIRM"},
        {Verb::acknowledge, "ACKNOWLEDGE"},
        {Verb::undo, "UNDO"},
        {Verb::reshuffle, "RESHUFFLE"},
        {Verb::verify, "VERIFY"},
        {Verb::drill, "DRILL"},
        {Verb::replay, "REPLAY"},
        {Verb::explain_route, "EXPLAIN"},
        {Verb::compare_search, "COMPARE"},
        {Verb::set_key, "SET"},
        {Verb::reset_key, "RESET"},
        {Verb::ignore, "IGNORE"},
        {Verb::unignore, "UNIGNORE"},
        {Verb::tune, "TUNE"},
        {Verb::mismatch, "MISMATCH"},
        {Verb::rebuild, "REBUILD INDEX"},
        {Verb::calibrate, "CALIBRATE"},
        {Verb::doctor, "SHOW"},
    }};
    for (const auto& [each, tag] : tags) {
        if (each == verb) {
            return tag;
        }
    }
    return "PANIC";
}

bool goes_back(Verb verb) {
    return verb == Verb::panic || verb == Verb::off || verb == Verb::rollback ||
           verb == Verb::rollback_all || verb == Verb::hold;
}

bool only_looks(const Command& command) {
    return command.verb == Verb::explain_route || command.verb == Verb::doctor;
}

}  // namespace veer::proxy::admin
