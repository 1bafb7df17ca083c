#include "parser/function_body.hpp"

#include "parser/lexer.hpp"
#include "parser/messages.hpp"
#include "parser/shape.hpp"
#include "parser/tree.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <map>
#include <optional>

namespace veer::parser {
namespace {

template <class Message>
const Message& as(const ProtobufCMessage& message) {
    return *static_cast<const Message*>(static_cast<const void*>(&message));
}

std::string_view text_of(const char* name) {
    return name == nullptr ? std::string_view() : name;
}

/// Where a parameter is mentioned, and how many tokens its mention has.
struct Mention {
    std::size_t parameter = 0;
    std::size_t tokens = 0;
};

/// Finds the mentions in a tree.
class Mentions {
  public:
    Mentions(std::string_view function, std::span<const std::string> parameters)
        : function_(function), parameters_(parameters) {}

    /// False where a name could mean more than one thing.
    bool visit(const ProtobufCMessage& message) {
        const auto* const kind = message.descriptor;
        bool clear = true;
        if (kind == &pg_query__column_ref__descriptor) {
            clear = see(as<PgQuery__ColumnRef>(message));
        } else if (kind == &pg_query__param_ref__descriptor) {
            clear = see(as<PgQuery__ParamRef>(message));
        } else if (kind == &pg_query__res_target__descriptor) {
            clear = is_free(text_of(as<PgQuery__ResTarget>(message).name));
        } else if (kind == &pg_query__range_var__descriptor) {
            const auto& table = as<PgQuery__RangeVar>(message);
            clear = is_free(text_of(table.relname)) && text_of(table.relname) != function_;
        } else if (kind == &pg_query__alias__descriptor) {
            const std::string_view alias = text_of(as<PgQuery__Alias>(message).aliasname);
            clear = is_free(alias) && alias != function_;
        } else if (kind == &pg_query__common_table_expr__descriptor) {
            clear = is_free(text_of(as<PgQuery__CommonTableExpr>(message).ctename));
        }
        for_each_child(message, [&](const ProtobufCMessage& child) {
            clear = clear && visit(child);
        });
        return clear;
    }

    std::map<std::size_t, Mention> found;  // by their place in the text
    std::vector<std::string> bare;

  private:
    std::optional<std::size_t> parameter_named(std::string_view name) const {
        const auto at = std::find(parameters_.begin(), parameters_.end(), name);
        return name.empty() || at == parameters_.end()
                   ? std::nullopt
                   : std::optional(static_cast<std::size_t>(at - parameters_.begin()));
    }

    bool is_free(std::string_view name) const { return !parameter_named(name); }

    bool add(std::int32_t location, Mention mention) {
        return location >= 0 && found.emplace(location, mention).second;
    }

    bool see(const PgQuery__ColumnRef& column) {
        const std::string_view first = name_of(column.fields[0]);
        if (const auto parameter = parameter_named(first)) {
            if (column.n_fields == 1) {
                bare.emplace_back(first);
            }
            return column.n_fields == 1 && add(column.location, {*parameter, 1});
        }
        if (first != function_ || column.n_fields == 1) {
            return true;
        }
        const auto parameter = parameter_named(name_of(column.fields[1]));
        return column.n_fields == 2 && parameter && add(column.location, {*parameter, 3});
    }

    bool see(const PgQuery__ParamRef& reference) {
        const bool known = reference.number >= 1 &&
                           static_cast<std::size_t>(reference.number) <= parameters_.size();
        return known &&
               add(reference.location, {static_cast<std::size_t>(reference.number - 1), 1});
    }

    std::string_view function_;
    std::span<const std::string> parameters_;
};

std::size_t end_of(std::string_view text, std::size_t begin, std::size_t tokens) {
    Lexer lexer(text);
    lexer.seek(begin);
    std::size_t end = begin;
    for (std::size_t i = 0; i < tokens; ++i) {
        end = lexer.next().end;
    }
    return end;
}

}  // namespace

std::string FunctionBody::with(std::span<const std::string> values) const {
    std::string text = pieces.front();
    for (std::size_t i = 0; i < mentions.size(); ++i) {
        text.append("(").append(values[mentions[i]]).append(")").append(pieces[i + 1]);
    }
    return text;
}

std::variant<FunctionBody, Refusal> read_function_body(
    std::string_view text, std::string_view function, std::span<const std::string> parameters
) {
    if (text.find('\0') != std::string_view::npos) {
        return Refusal::parse_error;
    }
    if (const auto refusal = scan_shape(text).refusal) {
        return *refusal;
    }
    const Tree tree{std::string(text)};
    if (tree.get() == nullptr) {
        return Refusal::parse_error;
    }
    if (tree.get()->n_stmts != 1) {
        return Refusal::multiple_statements;
    }
    const PgQuery__RawStmt& statement = *tree.get()->stmts[0];
    if (statement.stmt == nullptr ||
        statement.stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
        return Refusal::not_select;
    }
    Mentions mentions(function, parameters);
    if (!mentions.visit(statement.stmt->base)) {
        return Refusal::expression;
    }
    FunctionBody body{.pieces = {}, .mentions = {}, .bare = std::move(mentions.bare)};
    auto at = static_cast<std::size_t>(statement.stmt_location);
    const std::size_t end =
        statement.stmt_len > 0 ? at + static_cast<std::size_t>(statement.stmt_len) : text.size();
    for (const auto& [begin, mention] : mentions.found) {
        body.pieces.emplace_back(text.substr(at, begin - at));
        body.mentions.push_back(mention.parameter);
        at = end_of(text, begin, mention.tokens);
    }
    body.pieces.emplace_back(text.substr(at, end - at));
    return body;
}

}  // namespace veer::parser
