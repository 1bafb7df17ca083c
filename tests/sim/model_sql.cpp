#include "tests/sim/model_sql.hpp"

#include "tests/unit/proxy/sample_copy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace veer::sim {

namespace {

constexpr int docs_count = 20;

const Column id_column{.name = "id", .table_oid = 4711, .attnum = 1, .type_oid = 20};
const Column distance_column{.name = "d", .type_oid = 701};
const Column vector_column{
    .name = "e", .table_oid = 4711, .attnum = 2, .type_oid = 16385, .type_length = -1, .typmod = 2};
const Column number_column{.name = "n", .type_oid = 20};

Sql plain(Verb verb) {
    return {.verb = verb, .columns = {}, .literal = {}, .keys = {}};
}

Sql numbers(Verb verb, int count) {
    Sql sql = plain(verb);
    sql.columns = {number_column};
    sql.constant_rows = count;
    return sql;
}

/// Takes `prefix` off the front.
bool take(std::string_view& text, std::string_view prefix) {
    const bool there = text.starts_with(prefix);
    text.remove_prefix(there ? prefix.size() : 0);
    return there;
}

std::optional<std::string_view> take_until(std::string_view& text, std::string_view stop) {
    const std::size_t at = text.find(stop);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at + stop.size());
    return taken;
}

/// 7","8","9 as they stand between '{" and "}'.
std::vector<int> read_keys(std::string_view list) {
    std::vector<int> keys;
    while (!list.empty()) {
        const std::string_view one = list.substr(0, list.find("\",\""));
        keys.push_back(0);
        std::from_chars(one.data(), one.data() + one.size(), keys.back());
        list.remove_prefix(std::min(list.size(), one.size() + 3));
    }
    return keys;
}

std::variant<Sql, SqlError> read_search(std::string_view text, bool star) {
    Sql sql = plain(Verb::select);
    sql.search = true;
    sql.star = star;
    sql.columns =
        star ? std::vector{id_column, vector_column} : std::vector{id_column, distance_column};
    if (take(text, "WHERE \"docs\".\"id\" OPERATOR(pg_catalog.=) ANY ('{\"")) {
        const auto list = take_until(text, "\"}'::pg_catalog.int8[]) ");
        if (!list) {
            return SqlError{"42601"};
        }
        sql.keys = read_keys(*list);
    }
    const bool ordered = take(text, "ORDER BY e <-> ");
    const auto vector = take_until(text, " LIMIT ");
    if (!ordered || !vector || text.empty()) {
        return SqlError{"42601"};
    }
    std::from_chars(text.data(), text.data() + text.size(), sql.limit);
    sql.takes_vector = *vector == "$1";
    if (!sql.takes_vector) {
        sql.literal = read_vector(vector->substr(1, vector->size() - 2));
        if (!sql.literal) {
            return SqlError{"22P02"};
        }
    }
    return sql;
}

std::string number_text(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.15g", value);
    return buffer;
}

std::string big_endian(std::uint64_t bits, int bytes) {
    std::string text;
    for (int i = bytes; i-- > 0;) {
        text += static_cast<char>(bits >> static_cast<unsigned>(8 * i));
    }
    return text;
}

std::string whole_number(int value, bool binary) {
    return binary ? big_endian(static_cast<std::uint64_t>(value), 8) : std::to_string(value);
}

std::string vector_value(int id, bool binary) {
    if (!binary) {
        return "[" + std::to_string(id) + ",0]";
    }
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(id));
    return big_endian(2, 2) + big_endian(0, 2) + big_endian(bits, 4) + big_endian(0, 4);
}

struct Found {
    double distance = 0;
    int id = 0;
};

std::vector<Found> nearest(const Sql& sql, const Vector& to) {
    std::vector<Found> found;
    for (int id = 1; id <= docs_count; ++id) {
        const bool wanted =
            !sql.keys || std::find(sql.keys->begin(), sql.keys->end(), id) != sql.keys->end();
        if (wanted) {
            found.push_back({std::hypot(static_cast<double>(id) - to[0], to[1]), id});
        }
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
        return a.distance < b.distance;
    });
    found.resize(std::min(found.size(), sql.limit));
    return found;
}

}  // namespace

std::variant<Sql, SqlError> read_sql(std::string_view text) {
    if (text.empty()) {
        return plain(Verb::empty);
    }
    if (text.starts_with("SELECT (SELECT pg_catalog.")) {
        Sql facts = plain(Verb::select);
        facts.facts = true;
        facts.columns.resize(proxy::session::sample_facts().size(), number_column);
        return facts;
    }
    if (take(text, "SELECT * FROM docs ")) {
        return read_search(text, true);
    }
    for (const std::string_view vector : {"$1", "'[7.25,0]'", "'[2.25,0]'", "'[1,2,3]'", "'no'"}) {
        const std::string begin = "SELECT id, e <-> " + std::string(vector) + " AS d FROM docs ";
        if (take(text, begin)) {
            return read_search(text, false);
        }
    }
    const std::pair<std::string_view, Sql> known[] = {
        {"SELECT", plain(Verb::select)},
        {"SELECT 1 AS n", numbers(Verb::select, 1)},
        {"SELECT n FROM generate_series(1, 5) AS n", numbers(Verb::select, 5)},
        {"SELECT 1 / (2 - n) AS n FROM generate_series(1, 5) AS n", numbers(Verb::division, 1)},
        {"INSERT INTO notes VALUES (1)", plain(Verb::insert)},
        {"BEGIN", plain(Verb::begin)},
        {"COMMIT", plain(Verb::commit)},
        {"ROLLBACK", plain(Verb::rollback)},
        {"SET application_name = 'sim'", plain(Verb::set)},
        {"DEALLOCATE ALL", plain(Verb::deallocate)},
        {"COPY notes FROM STDIN", plain(Verb::copy_in)},
        {"COPY notes TO STDOUT", plain(Verb::copy_out)}};
    for (const auto& [spelling, sql] : known) {
        if (text == spelling) {
            return sql;
        }
    }
    return SqlError{"42601"};
}

std::optional<Vector> read_vector(std::string_view text) {
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') {
        return std::nullopt;
    }
    text = text.substr(1, text.size() - 2);
    Vector vector;
    while (true) {
        float value = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{}) {
            return std::nullopt;
        }
        vector.push_back(value);
        text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
        if (text.empty()) {
            return vector;
        }
        if (!take(text, ",")) {
            return std::nullopt;
        }
    }
}

std::optional<Vector> read_binary_vector(std::string_view bytes) {
    if (bytes.size() < 4 || bytes.size() % 4 != 0) {
        return std::nullopt;
    }
    Vector vector;
    for (std::size_t at = 4; at < bytes.size(); at += 4) {
        std::uint32_t bits = 0;
        for (const char byte : bytes.substr(at, 4)) {
            bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
        }
        vector.push_back(std::bit_cast<float>(bits));
    }
    return vector;
}

std::variant<std::vector<Row>, SqlError> rows_of(
    const Sql& sql,
    const std::optional<Vector>& parameter,
    const std::vector<std::int16_t>& formats,
    bool wrote
) {
    const auto binary = [&](std::size_t column) {
        return !formats.empty() && (formats.size() == 1 ? formats[0] : formats[column]) == 1;
    };
    std::vector<Row> rows;
    for (int n = 1; n <= sql.constant_rows; ++n) {
        rows.push_back({whole_number(n, binary(0))});
    }
    if (sql.facts) {
        constexpr std::size_t wrote_field = 6;
        rows.push_back(proxy::session::sample_facts());
        rows.back()[wrote_field] = wrote ? "t" : "f";
    }
    if (!sql.search) {
        return rows;
    }
    const Vector& to = sql.literal ? *sql.literal : *parameter;
    if (to.size() != 2) {
        return SqlError{"22000"};
    }
    for (const Found& found : nearest(sql, to)) {
        const std::string second = sql.star ? vector_value(found.id, binary(1))
                                   : binary(1)
                                       ? big_endian(std::bit_cast<std::uint64_t>(found.distance), 8)
                                       : number_text(found.distance);
        rows.push_back({whole_number(found.id, binary(0)), second});
    }
    return rows;
}

}  // namespace veer::sim
