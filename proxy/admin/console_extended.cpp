#include "proxy/admin/console.hpp"
#include "proxy/admin/console_messages.hpp"
#include "proxy/admin/lexer.hpp"
#include "proxy/wire/backend.hpp"

#include <algorithm>
#include <utility>

// The extended protocol: Parse, Bind, Describe, Execute, Close.

namespace veer::proxy::admin {

namespace {

constexpr std::size_t statements_max = 256;
constexpr std::size_t portals_max = 64;
constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t unknown_oid = 705;

Failure malformed(const char* message) {
    return {.sqlstate = "08P01", .message = std::string("invalid ") + message + " message"};
}

Failure no_statement(wire::Bytes name) {
    return {
        .sqlstate = "26000",
        .message = name.empty()
                       ? "unnamed prepared statement does not exist"
                       : "prepared statement \"" + std::string(name) + "\" does not exist"};
}

Failure no_portal(wire::Bytes name) {
    return {.sqlstate = "34000", .message = "portal \"" + std::string(name) + "\" does not exist"};
}

/// The value of one parameter in the type that its use wants.
Result<Value> parameter_value(
    const std::optional<wire::Bytes>& bytes, std::int16_t format, std::uint32_t oid, Type wanted
) {
    if (!bytes) {
        return Value{};
    }
    const Type declared = type_of_oid(oid).value_or(wanted);
    std::optional<Value> value =
        format == 1 ? from_binary(*bytes, oid) : from_text(*bytes, declared);
    if (value && std::holds_alternative<std::string>(*value) && wanted != Type::text) {
        value = from_text(std::get<std::string>(*value), wanted);
    }
    if (!value) {
        return Failure{
            .sqlstate = format == 1 ? "22P03" : "22P02",
            .message = format == 1
                           ? std::string("incorrect binary data format in bind parameter")
                           : "invalid input syntax for type " + std::string(facts_of(wanted).name) +
                                 ": \"" + std::string(*bytes) + "\""};
    }
    if (wanted == Type::text && !std::holds_alternative<std::string>(*value)) {
        return Failure{
            .sqlstate = "42883",
            .message = "operator does not exist: text = " + std::string(facts_of(declared).name)};
    }
    return *std::move(value);
}

}  // namespace

Result<std::shared_ptr<const Console::Prepared>> Console::prepare(
    const std::string& text, const Asker& asker, const std::vector<std::uint32_t>& declared
) {
    auto statement = read_statement(text, asker);
    if (statement.has_error()) {
        return statement.error();
    }
    auto prepared = std::make_shared<Prepared>();
    prepared->statement = *std::move(statement);
    prepared->columns = columns_of(prepared->statement, asker);
    const auto& wanted = prepared->statement.parameters;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        std::uint32_t oid = i < declared.size() ? declared[i] : 0;
        if (oid == 0 || oid == unknown_oid) {
            oid = wanted[i] ? facts_of(*wanted[i]).oid : text_oid;
        }
        prepared->parameter_oids.push_back(oid);
    }
    return std::shared_ptr<const Prepared>(std::move(prepared));
}

void Console::on_parse(wire::Bytes payload, std::string& out) {
    const auto parse = wire::decode_parse(payload);
    if (!parse) {
        fail(malformed("Parse"), out);
        return;
    }
    const bool known = statements_.contains(parse->statement);
    if (known && !parse->statement.empty()) {
        fail(
            {.sqlstate = "42P05",
             .message =
                 "prepared statement \"" + std::string(parse->statement) + "\" already exists"},
            out
        );
        return;
    }
    if (!known && statements_.size() >= statements_max) {
        fail({.sqlstate = "53400", .message = "too many prepared statements"}, out);
        return;
    }
    const auto statements = split_statements(parse->text);
    if (statements.has_error()) {
        fail(statements.error(), out);
        return;
    }
    if (statements->size() > 1) {
        fail(
            {.sqlstate = "42601",
             .message = "cannot insert multiple commands into a prepared statement"},
            out
        );
        return;
    }
    std::shared_ptr<const Prepared> made;  // stays null for an empty statement
    if (!statements->empty()) {
        auto prepared =
            prepare(std::string(statements->front()), options_.asker, parse->parameter_types);
        if (prepared.has_error()) {
            fail(prepared.error(), out);
            return;
        }
        made = *std::move(prepared);
    }
    statements_.insert_or_assign(std::string(parse->statement), std::move(made));
    wire::write_parse_complete(out);
}

std::optional<Failure> Console::bind_parameters(
    const wire::Bind& bind, const Prepared& prepared, Portal& portal
) const {
    const std::size_t count = prepared.parameter_oids.size();
    if (bind.parameters.size() != count) {
        return Failure{
            .sqlstate = "08P01",
            .message = "bind message supplies " + std::to_string(bind.parameters.size()) +
                       " parameters, but prepared statement \"" + std::string(bind.statement) +
                       "\" requires " + std::to_string(count)};
    }
    for (std::size_t i = 0; i < count; ++i) {
        auto value = parameter_value(
            bind.parameters[i],
            bind.parameter_format(i),
            prepared.parameter_oids[i],
            prepared.statement.parameters[i].value_or(Type::text)
        );
        if (value.has_error()) {
            return value.error();
        }
        portal.parameters.push_back(*std::move(value));
    }
    return std::nullopt;
}

void Console::on_bind(wire::Bytes payload, std::string& out) {
    const auto bind = wire::decode_bind(payload);
    if (!bind) {
        fail(malformed("Bind"), out);
        return;
    }
    const auto found = statements_.find(bind->statement);
    if (found == statements_.end()) {
        fail(no_statement(bind->statement), out);
        return;
    }
    if (!portals_.contains(bind->portal) && portals_.size() >= portals_max) {
        fail({.sqlstate = "53400", .message = "too many portals"}, out);
        return;
    }
    Portal portal;
    portal.prepared = found->second;
    portal.formats = bind->result_formats;
    if (portal.prepared != nullptr) {
        if (const auto problem = bind_parameters(*bind, *portal.prepared, portal)) {
            fail(*problem, out);
            return;
        }
        const std::size_t columns = portal.prepared->columns.size();
        const bool fits = portal.formats.size() <= 1 || portal.formats.size() == columns;
        const bool known =
            std::all_of(portal.formats.begin(), portal.formats.end(), [](std::int16_t format) {
                return format == 0 || format == 1;
            });
        if (!fits || !known) {
            fail({.sqlstate = fits ? "22023" : "08P01", .message = "invalid result formats"}, out);
            return;
        }
    }
    portals_.insert_or_assign(std::string(bind->portal), std::move(portal));
    wire::write_bind_complete(out);
}

void Console::on_describe(wire::Bytes payload, std::string& out) {
    const auto target = wire::decode_target(payload);
    if (!target) {
        fail(malformed("Describe"), out);
        return;
    }
    const Prepared* prepared = nullptr;
    std::vector<std::int16_t> formats;
    if (target->kind == 'S') {
        const auto found = statements_.find(target->name);
        if (found == statements_.end()) {
            fail(no_statement(target->name), out);
            return;
        }
        prepared = found->second.get();
        wire::write_parameter_description(
            out, prepared == nullptr ? std::vector<std::uint32_t>{} : prepared->parameter_oids
        );
    } else {
        const auto found = portals_.find(target->name);
        if (found == portals_.end()) {
            fail(no_portal(target->name), out);
            return;
        }
        prepared = found->second.prepared.get();
        formats = found->second.formats;
    }
    if (prepared == nullptr || prepared->columns.empty()) {
        write_no_data(out);
    } else {
        write_columns(out, prepared->columns, formats);
    }
}

void Console::on_execute(wire::Bytes payload, std::string& out) {
    const auto execute = wire::decode_execute(payload);
    if (!execute) {
        fail(malformed("Execute"), out);
        return;
    }
    const auto found = portals_.find(execute->portal);
    if (found == portals_.end()) {
        fail(no_portal(execute->portal), out);
        return;
    }
    running_ = execute->portal;
    rows_max_ = execute->rows_max;
    Portal& portal = found->second;
    if (portal.prepared == nullptr) {
        write_empty_query(out);
    } else if (portal.executed) {
        deliver(portal, out);
    } else {
        run(portal, out);
    }
}

void Console::on_close(wire::Bytes payload, std::string& out) {
    const auto target = wire::decode_target(payload);
    if (!target) {
        fail(malformed("Close"), out);
        return;
    }
    if (target->kind == 'S') {
        statements_.erase(std::string(target->name));
    } else {
        portals_.erase(std::string(target->name));
    }
    wire::write_close_complete(out);
}

}  // namespace veer::proxy::admin
