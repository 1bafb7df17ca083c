#include "router/several_vectors.hpp"

#include "router/rewrite.hpp"

#include <array>
#include <charconv>

namespace veer::router {

namespace {

/// The shortest that reads back as the same float.
void append_number(std::string& text, float number) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    text.append(buffer.data(), end);
}

/// "q"."v" = '[1,2]'::vector
std::string is_turn_of(
    const parser::NearestNeighbourQuery& query,
    const storage::Vector& vector,
    std::string_view schema
) {
    const std::string within = quote_identifier(schema) + '.';
    return quote_identifier(query.several->table) + '.' + quote_identifier(query.several->column) +
           " OPERATOR(" + within + "=) " + plain_literal(vector_text(vector)) + "::" + within +
           quote_identifier(query.vector.type_name);
}

/// CASE WHEN ... THEN '{7,3}'::int8[] ... END: one array for each search, which can be looked up in
/// the key's own index.
std::optional<std::string> case_of_arrays(
    const parser::NearestNeighbourQuery& query,
    const storage::Table& table,
    const std::vector<std::string>& turns,
    std::span<const std::vector<index::Hit>> hits
) {
    std::string text = "CASE";
    for (std::size_t i = 0; i < turns.size(); ++i) {
        const auto array = key_array(table, hits[i]);
        if (!array) {
            return std::nullopt;
        }
        text += " WHEN " + turns[i] + " THEN " + *array;
    }
    return any_of(table, query.reference, text + " END");
}

/// (... AND keys) OR (... AND keys)
std::optional<std::string> turns_with_keys(
    const parser::NearestNeighbourQuery& query,
    const storage::Table& table,
    const std::vector<std::string>& turns,
    std::span<const std::vector<index::Hit>> hits
) {
    std::string text;
    for (std::size_t i = 0; i < turns.size(); ++i) {
        const auto keys = key_condition(table, query.reference, hits[i]);
        if (!keys) {
            return std::nullopt;
        }
        text += (i == 0 ? "(" : " OR (") + turns[i] + " AND " + *keys + ')';
    }
    return '(' + text + ')';
}

}  // namespace

std::string vector_text(const storage::Vector& vector) {
    std::string text;
    if (const auto* const sparse = std::get_if<storage::SparseVector>(&vector)) {
        for (std::size_t i = 0; i < sparse->values.size(); ++i) {
            text += (i == 0 ? "{" : ",") + std::to_string(sparse->indices[i] + 1) + ':';
            append_number(text, sparse->values[i]);
        }
        return (text.empty() ? "{" : text) + "}/" + std::to_string(sparse->dimensions);
    }
    if (const auto* const floats = std::get_if<std::vector<float>>(&vector)) {
        for (const float number : *floats) {
            text += text.empty() ? '[' : ',';
            append_number(text, number);
        }
    }
    return text + ']';
}

std::optional<std::string> restrict_each_to_keys(
    std::string_view statement,
    const parser::Clauses& clauses,
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    const Search& search,
    std::span<const std::vector<index::Hit>> hits,
    std::string_view schema
) {
    std::vector<std::string> turns = {is_turn_of(query, search.vector, schema)};
    for (const storage::Vector& other : search.others) {
        turns.push_back(is_turn_of(query, other, schema));
    }
    const storage::Table& table = route.table();
    const auto condition = table.key.size() == 1 ? case_of_arrays(query, table, turns, hits)
                                                 : turns_with_keys(query, table, turns, hits);
    return condition ? std::optional(parser::add_condition(statement, clauses, *condition))
                     : std::nullopt;
}

}  // namespace veer::router
