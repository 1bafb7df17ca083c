#include "proxy/admin/read_setting.hpp"

#include <algorithm>
#include <string>

namespace veer::proxy::admin {

namespace {

using Kind = Token::Kind;
using Verb = Command::Verb;

/// From behind SET or RESET, where a name with a dot follows.
Result<Command> read_key(Cursor& cursor, bool reset, std::string_view text) {
    Command command;
    command.verb = reset ? Verb::reset_key : Verb::set_key;
    command.key = cursor.next().text;
    cursor.skip(".");
    if (!cursor.peek().is_name()) {
        return cursor.unexpected();
    }
    const Token name = cursor.next();
    command.key += '.' + name.text;
    if (reset) {
        return cursor.at_end() ? Result<Command>(command) : cursor.unexpected();
    }
    const Token sign = cursor.peek();
    if ((!cursor.skip("=") && !cursor.skip("to")) || cursor.at_end()) {
        return cursor.unexpected();
    }
    std::size_t end = sign.end;
    while (!cursor.at_end()) {
        end = cursor.next().end;
    }
    std::string_view value = text.substr(sign.end, end - sign.end);
    value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
    if (value.find_first_of("\r\n") != std::string_view::npos) {
        return Failure{.sqlstate = "22023", .message = "a value is one line"};
    }
    command.value = value;
    return command;
}

Result<Command> read_ignore(Cursor& cursor, bool back) {
    Command command;
    command.verb = back ? Verb::unignore : Verb::ignore;
    const auto word = [&cursor](std::string& target) {
        const bool there = cursor.peek().kind == Kind::string || cursor.peek().is_name();
        target = there ? cursor.next().text : "";
        return there;
    };
    if (!cursor.skip("class") || !word(command.difference) || !cursor.skip("on") ||
        !word(command.fingerprint)) {
        return cursor.unexpected();
    }
    if (!back && (!cursor.skip("until") || !word(command.until) || !cursor.skip("reason") ||
                  !word(command.reason))) {
        return cursor.unexpected();
    }
    return cursor.at_end() ? Result<Command>(command) : cursor.unexpected();
}

}  // namespace

std::optional<Result<Command>> read_setting(Cursor& cursor, std::string_view text) {
    const bool set = cursor.peek().is("set");
    const bool reset = cursor.peek().is("reset");
    if ((set || reset) && cursor.peek(1).is_name() && cursor.peek(2).is(".")) {
        cursor.next();
        return read_key(cursor, reset, text);
    }
    const bool back = cursor.peek().is("unignore");
    if (back || cursor.peek().is("ignore")) {
        cursor.next();
        return read_ignore(cursor, back);
    }
    return std::nullopt;
}

}  // namespace veer::proxy::admin
