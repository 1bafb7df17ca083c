#include "router/search_function.hpp"

#include "parser/lexer.hpp"
#include "router/filter_object.hpp"
#include "router/rewrite.hpp"
#include "router/statement.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace veer::router {

namespace {

using Argument = parser::FunctionCall::Argument;

constexpr std::string_view undefined_object = "42704";
constexpr std::string_view not_supported = "0A000";
constexpr std::string_view wrong_value = "22023";
constexpr std::string_view ambiguous = "42725";

enum Parameter : std::size_t { route, vector, k, ef, filter, use_gnn, parameter_count };

/// Their names, and those that RuVector's function has for them.
constexpr std::array<std::array<std::string_view, 2>, parameter_count> names{
    {{"route", "p_collection_name"},
     {"vector", "p_query"},
     {"k", "p_k"},
     {"ef", "p_ef_search"},
     {"filter", "p_filter"},
     {"p_use_gnn", "p_use_gnn"}}};

using Arguments = std::array<const Argument*, parameter_count>;

template <class T>
using Or = std::variant<T, Complaint>;

Complaint complaint(std::string_view sqlstate, std::string message, std::string hint) {
    return {std::string(sqlstate), std::move(message), std::move(hint)};
}

std::string called(const parser::FunctionCall& call) {
    return call.schema ? *call.schema + '.' + call.name + "()" : call.name + "()";
}

Complaint usage(const parser::FunctionCall& call, std::string message) {
    return complaint(
        not_supported,
        called(call) + ' ' + std::move(message),
        "SELECT id, distance FROM veer.search('table.column', $1, 10, ef => 100, filter => "
        "'{\"tenant\": 3}')"
    );
}

/// Of what stands there without a name; null where nothing does.
const Argument* argument_at(const parser::FunctionCall& call, std::size_t position) {
    const bool there = position < call.arguments.size() && call.arguments[position].name.empty();
    return there ? &call.arguments[position] : nullptr;
}

/// RuVector's has a truth value, or NULL for one, in the fifth place, and its filter in the sixth.
std::size_t place_of(const parser::FunctionCall& call, std::size_t position) {
    using Kind = Argument::Kind;
    const Argument* const fifth = argument_at(call, filter);
    const Argument* const sixth = argument_at(call, use_gnn);
    const bool gnn =
        fifth != nullptr &&
        (fifth->kind == Kind::truth ||
         (fifth->kind == Kind::null && sixth != nullptr && sixth->kind != Kind::truth));
    if (gnn && position >= filter) {
        return position == filter ? use_gnn : filter;
    }
    return position;
}

/// Whether it asks for what there is not: anything but false and NULL may.
bool may_use_gnn(const Argument* argument) {
    return argument != nullptr && (argument->kind != Argument::Kind::truth || argument->truth);
}

std::optional<Arguments> arguments_of(const parser::FunctionCall& call) {
    Arguments arguments{};
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        const Argument& argument = call.arguments[i];
        std::size_t place = place_of(call, i);
        if (!argument.name.empty()) {
            const auto* const found =
                std::find_if(names.begin(), names.end(), [&](const auto& each) {
                    return each[0] == argument.name || each[1] == argument.name;
                });
            place = static_cast<std::size_t>(found - names.begin());
        }
        if (place >= parameter_count || arguments[place] != nullptr ||
            (argument.name.empty() && i >= parameter_count)) {
            return std::nullopt;
        }
        arguments[place] = argument.kind == Argument::Kind::null ? nullptr : &argument;
    }
    return arguments;
}

/// How a route may be called by.
bool is_called(const Route& each, std::string_view name) {
    const storage::Table& table = each.table();
    const std::string column = table.name + '.' + each.vector_column().name;
    return name == each.name || name == table.schema + '.' + column || name == column ||
           name == table.name || name == table.schema + '.' + table.name;
}

/// What is to be searched.
struct Searched {
    std::string schema;
    std::string table;
    std::string column;
    std::string operator_name;
    const storage::Table* copied = nullptr;  ///< null: it is not, so far
};

/// Whether the column and the operator say it, without a cast.
bool is_plain(const Route& route) {
    const storage::AnnIndex& ann = route.column.ann;
    return !ann.declared ||
           (!ann.legacy && route.vector_column().form == storage::VectorForm::unbound);
}

Searched searched(const Route& route) {
    const storage::Table& table = route.table();
    return {
        table.schema,
        table.name,
        route.vector_column().name,
        route.column.ann.operator_name,
        &table};
}

/// The one that a statement has given this name. Nothing where none has, or several have.
std::optional<Or<Searched>> find_declared(const RouteTable& routes, const std::string& name) {
    const Declaration* found = nullptr;
    for (const Declaration& each : routes.declared) {
        const bool index = each.kind == Declaration::Kind::index;
        if (each.name != name && !(index && each.schema + '.' + each.name == name)) {
            continue;
        }
        if (found != nullptr) {
            return complaint(
                ambiguous,
                "several routes are called \"" + name + '"',
                "Name one as SHOW veer.routes does: \"" + route_name(*found) + "\", \"" +
                    route_name(each) + "\"."
            );
        }
        found = &each;
    }
    if (found == nullptr) {
        return std::nullopt;
    }
    for (const Route& route : routes.routes) {
        if (!is_about(*found, route.table(), route.column.ann)) {
            continue;
        }
        if (!is_plain(route)) {
            return complaint(
                not_supported,
                "the column of route \"" + route.name + "\" is of no type of pgvector's",
                "ORDER BY column::vector and the operator says the same."
            );
        }
        return searched(route);
    }
    return Searched{found->schema, found->table, found->column, found->operator_name, nullptr};
}

Or<Searched> find_route(const RouteTable& routes, const std::string& name) {
    if (auto declared = find_declared(routes, name)) {
        return *std::move(declared);
    }
    std::vector<const Route*> found;
    std::string all;
    for (const Route& each : routes.routes) {
        const bool plain = is_plain(each);
        if (plain && each.name == name) {
            return searched(each);
        }
        if (plain && is_called(each, name)) {
            found.push_back(&each);
            all += (all.empty() ? "\"" : ", \"") + each.name + '"';
        }
    }
    if (found.empty()) {
        return complaint(
            undefined_object,
            "there is no route \"" + name + '"',
            "SHOW veer.routes lists them; a route is also called by its table.column."
        );
    }
    if (found.size() > 1) {
        return complaint(
            ambiguous, "several routes are called \"" + name + '"', "Name one: " + all + '.'
        );
    }
    return searched(*found.front());
}

/// The literal under the casts; nothing where it is not one.
std::optional<std::string> literal_of(const Statement& statement, const Argument& argument) {
    const auto& literals = statement.normalised.literals;
    return argument.kind == Argument::Kind::string && argument.literal < literals.size()
               ? std::optional(literals[argument.literal].text)
               : std::nullopt;
}

std::string_view text_of(const Statement& statement, const Argument& argument) {
    const std::size_t begin = statement.normalised.original_position(argument.begin);
    return std::string_view(statement.text)
        .substr(begin, statement.normalised.original_position(argument.end) - begin);
}

/// Whether it is the same text in every client_encoding, and what it stands for is, too.
bool is_ascii(std::string_view json) {
    return json.find("\\u") == std::string_view::npos &&
           std::all_of(json.begin(), json.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x80;
           });
}

Or<std::string> filter_of(
    const Statement& statement,
    const parser::FunctionCall& call,
    const Argument* argument,
    const std::string& table,
    bool utf8
) {
    if (argument == nullptr) {
        return std::string();
    }
    const auto json = literal_of(statement, *argument);
    if (!json) {
        return usage(call, "takes its filter from the statement's text, not from a parameter");
    }
    if (!utf8 && !is_ascii(*json)) {
        return complaint(
            not_supported,
            "the filter of " + called(call) + " has characters outside of ASCII",
            "They are understood where client_encoding is UTF8."
        );
    }
    auto conditions = conditions_of(*json, table);
    if (!conditions) {
        return complaint(
            wrong_value,
            "the filter of " + called(call) + " is no object of columns and values",
            R"(Such as {"tenant": 3, "kind": ["a", "b"], "year": {"$gte": 2020}, "gone": null}.)"
        );
    }
    return *std::move(conditions);
}

/// The comment that asks for the index, and how far it is to look.
Or<std::string> hint_of(const parser::FunctionCall& call, const Argument* argument) {
    constexpr std::int32_t ef_max = 1000;  // pgvector's
    if (argument == nullptr) {
        return std::string("/* veer: route=veer */");
    }
    if (argument->kind != Argument::Kind::whole) {
        return usage(call, "takes its ef from the statement's text: a number from 1 to 1000");
    }
    if (argument->whole < 1 || argument->whole > ef_max) {
        return complaint(
            wrong_value,
            std::to_string(argument->whole) + " is no ef of " + called(call),
            "It is a number from 1 to 1000, as hnsw.ef_search is."
        );
    }
    return "/* veer: route=veer ef=" + std::to_string(argument->whole) + " */";
}

std::string where(const std::string& conditions) {
    constexpr std::string_view first = " AND ";
    return conditions.empty() ? std::string() : " WHERE " + conditions.substr(first.size());
}

/// A parameter may be NULL, too, and LIMIT NULL is no limit.
std::string count_of(const Statement& statement, const Argument* argument) {
    constexpr std::string_view default_k = "10";
    if (argument == nullptr) {
        return std::string(default_k);
    }
    std::string text(text_of(statement, *argument));
    if (argument->kind == Argument::Kind::parameter) {
        text = "coalesce(" + text + ", ";
        text += default_k;
        text += ')';
    }
    return text;
}

/// What comes behind SELECT, from the table's name on.
struct Parts {
    std::string hint;
    std::string measure;
    std::string rest;
};

std::string outputs_of(
    const std::vector<parser::TableFunction::Chosen>& chosen, const std::string& measure
) {
    std::string outputs;
    for (const auto& [column, label] : chosen) {
        outputs += outputs.empty() ? "" : ", ";
        if (column == "*") {
            outputs += "*, " + measure + " AS \"distance\"";
        } else if (column == "distance") {
            outputs += measure + " AS " + quote_identifier(label);
        } else {
            outputs += quote_identifier(column) + " AS " + quote_identifier(label);
        }
    }
    return outputs;
}

/// The comments between the tokens of what is cut out, for what they say of the statement. A gap is
/// kept whole, so that a comment of one line ends where it did.
std::string comments_of(std::string_view cut) {
    std::string comments;
    parser::Lexer lexer(cut);
    std::size_t at = 0;
    for (parser::Token token = lexer.next(); token.kind != parser::Token::Kind::end;
         token = lexer.next()) {
        const std::string_view gap = cut.substr(at, token.begin - at);
        comments += gap.find("/*") == std::string_view::npos ? std::string_view() : gap;
        at = token.end;
    }
    return comments;
}

std::string replaced(
    const Statement& statement, const parser::TableFunction& function, const Parts& parts
) {
    const auto at = [&](std::size_t position) {
        return statement.normalised.original_position(position);
    };
    const parser::FunctionCall& call = *function.call;
    const std::size_t begin = at(function.chosen ? function.begin : call.begin);
    const std::string before = statement.text.substr(0, begin);
    const std::string behind = statement.text.substr(at(call.end));
    const std::string hints =
        parts.hint +
        comments_of(std::string_view(statement.text).substr(begin, at(call.end) - begin));
    if (function.chosen) {
        return before + hints + "SELECT " + outputs_of(*function.chosen, parts.measure) +
               parts.rest + behind;
    }
    return before + '(' + hints + "SELECT *, " + parts.measure + " AS \"distance\"" + parts.rest +
           ") AS " + quote_identifier(call.reference) + behind;
}

bool has_column(const storage::Table& table, std::string_view name) {
    return std::any_of(table.columns.begin(), table.columns.end(), [&](const auto& column) {
        return column.name == name;
    });
}

}  // namespace

std::variant<std::string, Complaint> search_text(
    const Statement& statement,
    const parser::TableFunction& function,
    const RouteTable& routes,
    bool utf8
) {
    if (!function.call) {
        return complaint(
            not_supported,
            "veer.search() is one item of FROM, once in a statement that is sent alone, with "
            "constants or parameters",
            "SELECT id, distance FROM veer.search('table.column', $1, 10) WHERE distance < 0.5"
        );
    }
    const parser::FunctionCall& call = *function.call;
    const auto arguments = arguments_of(call);
    if (!arguments || (*arguments)[vector] == nullptr || (*arguments)[route] == nullptr ||
        may_use_gnn((*arguments)[use_gnn])) {
        return usage(call, "has a route, a vector, and perhaps k, ef and a filter");
    }
    const auto name = literal_of(statement, *(*arguments)[route]);
    if (!name) {
        return usage(call, "takes its route from the statement's text, not from a parameter");
    }
    const auto found = find_route(routes, *name);
    if (const auto* const why = std::get_if<Complaint>(&found)) {
        return *why;
    }
    const Searched& of = std::get<Searched>(found);
    if (of.copied != nullptr && has_column(*of.copied, "distance")) {
        return complaint(
            not_supported,
            "the table of route \"" + *name + "\" has a column \"distance\" of its own",
            "ORDER BY the column and the operator says the same."
        );
    }
    const auto conditions = filter_of(statement, call, (*arguments)[filter], of.table, utf8);
    if (const auto* const why = std::get_if<Complaint>(&conditions)) {
        return *why;
    }
    const auto hint = hint_of(call, (*arguments)[ef]);
    if (const auto* const why = std::get_if<Complaint>(&hint)) {
        return *why;
    }
    const std::string column = quote_identifier(of.column);
    const std::string measure = column + ' ' + of.operator_name + ' ' +
                                std::string(text_of(statement, *(*arguments)[vector]));
    return replaced(
        statement,
        function,
        {.hint = std::get<std::string>(hint),
         .measure = measure,
         .rest = " FROM " + quote_identifier(of.schema) + '.' + quote_identifier(of.table) +
                 where(std::get<std::string>(conditions)) + " ORDER BY " + measure + " LIMIT " +
                 count_of(statement, (*arguments)[k])}
    );
}

std::string_view taken_names_query() {
    return "SELECT pg_catalog.concat_ws(' ', pg_catalog.bool_or(n.nspname OPERATOR(pg_catalog.=) "
           "'veer' AND p.proname OPERATOR(pg_catalog.=) 'search'), "
           "pg_catalog.bool_or(p.proname OPERATOR(pg_catalog.=) 'ruvector_search'))"
           " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
           " ON n.oid OPERATOR(pg_catalog.=) p.pronamespace"
           " WHERE p.proname OPERATOR(pg_catalog.=)"
           " ANY ('{search,ruvector_search}'::pg_catalog.name[])";
}

TakenNames decode_taken_names(std::string_view field) {
    // Of no function at all both are NULL, and left out.
    if (field.empty()) {
        return {false, false};
    }
    const std::size_t space = std::min(field.find(' '), field.size());
    return {field.substr(0, space) != "f", !field.substr(space).ends_with('f')};
}

bool is_taken(const TakenNames& taken, const parser::TableFunction& function) {
    if (!function.call) {
        return taken.veer_search || taken.ruvector_search;
    }
    return function.call->schema ? taken.veer_search : taken.ruvector_search;
}

}  // namespace veer::router
