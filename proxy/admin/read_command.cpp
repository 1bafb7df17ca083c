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

constexpr std::array<Form, 17> forms{{
    {"panic", Verb::panic, false},
    {"unpanic", Verb::unpanic, false},
    {"reload", Verb::reload, false},
    {"observe", Verb::observe, true},
    {"shadow", Verb::shadow, true},
    {"promote", Verb::promote, true},
    {"rollback", Verb::rollback, true},
    {"hold", Verb::hold, true},
    {"resume", Verb::resume, true},
    {"complete", Verb::complete, true},
    {"reopen", Verb::reopen, true},
    {"confirm", Verb::confirm, true},
    {"acknowledge", Verb::acknowledge, true},
    {"ack", Verb::acknowledge, true},
    {"undo", Verb::undo, true},
    {"verify", Verb::verify, false},
    {"drill", Verb::drill, false},
}};

bool begins_option(const Token& token) {
    return token.is("to") || token.is("if") || token.is("for") || token.is("reason") ||
           token.is("set") || token.is("percent") || token.is("rate") || token.is("fault");
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
    static constexpr std::array<std::pair<Verb, std::string_view>, 16> tags{{
        {Verb::panic, "PANIC"},
        {Verb::unpanic, "UNPANIC"},
        {Verb::reload, "RELOAD"},
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
        {Verb::verify, "VERIFY"},
        {Verb::drill, "DRILL"},
    }};
    for (const auto& [each, tag] : tags) {
        if (each == verb) {
            return tag;
        }
    }
    return "PANIC";
}

bool goes_back(Verb verb) {
    return verb == Verb::panic || verb == Verb::rollback || verb == Verb::rollback_all ||
           verb == Verb::hold;
}

}  // namespace veer::proxy::admin
