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
    std::array<bool, parameter_count> given{};  // NULL counts, too
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
        if (place >= parameter_count || given[place] ||
            (argument.name.empty() && i >= parameter_count)) {
            return std::nullopt;
        }
        given[place] = true;
        arguments[place] = argument.kind == Argument::Kind::null ? nullptr : &argument;
    }
    return arguments;
}

/// Of its table or its column, with the schema.
bool is_called_whole(const Route& each, std::string_view name) {
    const storage::Table& table = each.table();
    const std::string whole = table.schema + '.' + table.name;
    return name == whole || name == whole + '.' + each.vector_column().name;
}

/// The same without the schema.
bool is_called_bare(const Route& each, std::string_view name) {
    const storage::Table& table = each.table();
    return name == table.name || name == table.name + '.' + each.vector_column().name;
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

Or<Searched> searched(const RouteTable& routes, const Declaration& declared) {
    for (const Route& route : routes.routes) {
        if (!is_about(declared, route.table(), route.column.ann)) {
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
    return Searched{
        declared.schema, declared.table, declared.column, declared.operator_name, nullptr};
}

template <class Is>
std::vector<const Route*> routes_that(const RouteTable& routes, const Is& is) {
    std::vector<const Route*> found;
    for (const Route& each : routes.routes) {
        if (is_plain(each) && is(each)) {
            found.push_back(&each);
        }
    }
    return found;
}

template <class Is>
const Declaration* declared_that(const RouteTable& routes, const Is& is) {
    const auto found = std::find_if(routes.declared.begin(), routes.declared.end(), is);
    return found == routes.declared.end() ? nullptr : &*found;
}

bool is_index(const Declaration& each, std::string_view schema, std::string_view name) {
    return each.kind == Declaration::Kind::index && each.schema == schema && each.name == name;
}

/// Nothing: there is none. Of several routes of a table its collection of that name says which.
std::optional<Or<Searched>> one_of(
    const std::vector<const Route*>& found, const Declaration* collection, const std::string& name
) {
    if (found.empty()) {
        return std::nullopt;
    }
    std::string all;
    for (const Route* const each : found) {
        const bool meant =
            collection != nullptr && is_about(*collection, each->table(), each->column.ann);
        if (meant || found.size() == 1) {
            return searched(*each);
        }
        all += (all.empty() ? "\"" : ", \"") + each->name + '"';
    }
    return complaint(
        ambiguous, "several routes are called \"" + name + '"', "Name one: " + all + '.'
    );
}

/// As Postgres finds a relation: in the first schema of the search_path that has it. So nobody can
/// come between a name and what it means by making an index of that name elsewhere.
std::vector<const Route*> routes_in_path(
    const RouteTable& routes, const std::string& name, const std::vector<std::string>& path
) {
    for (const std::string& schema : path) {
        auto found = routes_that(routes, [&](const Route& each) {
            return each.table().schema == schema && is_called_bare(each, name);
        });
        if (!found.empty()) {
            return found;
        }
    }
    return {};
}

const Declaration* index_called(
    const RouteTable& routes, const std::string& name, const std::vector<std::string>& path
) {
    for (const std::string& schema : path) {
        const auto* const found = declared_that(routes, [&](const Declaration& each) {
            return is_index(each, schema, name);
        });
        if (found != nullptr) {
            return found;
        }
    }
    return declared_that(routes, [&name](const Declaration& each) {
        return each.kind == Declaration::Kind::index && each.schema + '.' + each.name == name;
    });
}

/// A route's own name, a table's or a column's, an index', a collection's, in this order.
Or<Searched> find_route(
    const RouteTable& routes, const std::string& name, const std::vector<std::string>& path
) {
    const auto exact = routes_that(routes, [&](const Route& each) { return each.name == name; });
    if (!exact.empty()) {
        return searched(*exact.front());
    }
    const auto* const declared =
        declared_that(routes, [&](const Declaration& each) { return route_name(each) == name; });
    if (declared != nullptr) {
        return searched(routes, *declared);
    }
    const auto* const collection = declared_that(routes, [&](const Declaration& each) {
        return each.kind == Declaration::Kind::collection && each.name == name;
    });
    auto named =
        routes_that(routes, [&](const Route& each) { return is_called_whole(each, name); });
    for (const Route* const each : routes_in_path(routes, name, path)) {
        named.push_back(each);
    }
    if (auto found = one_of(named, collection, name)) {
        return *std::move(found);
    }
    if (const auto* const index = index_called(routes, name, path)) {
        return searched(routes, *index);
    }
    if (collection != nullptr) {
        return searched(routes, *collection);
    }
    const auto elsewhere =
        routes_that(routes, [&](const Route& each) { return is_called_bare(each, name); });
    if (auto found = one_of(elsewhere, nullptr, name)) {
        return *std::move(found);
    }
    return complaint(
        undefined_object,
        "there is no route \"" + name + '"',
        "SHOW veer.routes lists them; a route is also called by its table.column, and an index "
        "that is not in the search_path by schema.index."
    );
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

/// Of an array of names in Postgres' text form.
std::vector<std::string> elements_of(std::string_view array) {
    std::vector<std::string> elements;
    bool quoted = false;
    for (std::size_t i = 0; array != "{}" && i < array.size(); ++i) {
        const char c = array[i];
        if (!quoted && (c == '{' || c == ',')) {
            elements.emplace_back();
        } else if (c == '"') {
            quoted = !quoted;
        } else if ((quoted || c != '}') && !elements.empty()) {
            i += quoted && c == '\\' && i + 1 < array.size() ? 1 : 0;
            elements.back() += array[i];
        }
    }
    return elements;
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
    bool utf8,
    const std::vector<std::string>& path
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
    const auto found = find_route(routes, *name, path);
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
           "pg_catalog.bool_or(p.proname OPERATOR(pg_catalog.=) 'ruvector_search')),"
           " pg_catalog.current_schemas(true)::pg_catalog.text"
           " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
           " ON n.oid OPERATOR(pg_catalog.=) p.pronamespace"
           " WHERE p.proname OPERATOR(pg_catalog.=)"
           " ANY ('{search,ruvector_search}'::pg_catalog.name[])";
}

TakenNames decode_taken_names(std::string_view field, std::string_view path) {
    TakenNames taken{.veer_search = false, .ruvector_search = false, .path = elements_of(path)};
    // Of no function at all both are NULL, and left out.
    if (!field.empty()) {
        const std::size_t space = std::min(field.find(' '), field.size());
        taken.veer_search = field.substr(0, space) != "f";
        taken.ruvector_search = !field.substr(space).ends_with('f');
    }
    return taken;
}

bool is_taken(const TakenNames& taken, const parser::TableFunction& function) {
    if (!function.call) {
        return taken.veer_search || taken.ruvector_search;
    }
    return function.call->schema ? taken.veer_search : taken.ruvector_search;
}

}  // namespace veer::router
