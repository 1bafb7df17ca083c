#include "proxy/cli/init_text.hpp"

#include "config/column_name.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <utility>

namespace veer::proxy::cli {

namespace {

std::string quoted(const std::string& text) {
    return config::to_string(config::Value(text));
}

/// One line, whatever is in it.
std::string comment(const std::string& text) {
    std::string line = "# ";
    for (const char c : text) {
        line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return line + '\n';
}

std::string rows_text(double rows) {
    return rows < 0 ? "never analyzed" : "about " + std::to_string(std::llround(rows)) + " rows";
}

std::string dotted(const std::string& relation, const std::string& column) {
    std::string name = relation;
    return name.append(".").append(column);
}

/// "public.documents", as [[route]] has it.
std::string relation_of(const storage::Table& table) {
    return table.schema + '.' + table.name;
}

const VectorColumn* find(
    const std::vector<VectorColumn>& columns, const std::string& relation, const std::string& name
) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& each) {
        return each.table == relation && each.column == name;
    });
    return found == columns.end() ? nullptr : &*found;
}

/// As parse_column_name() reads it.
std::string column_text(const storage::Table& table, const std::string& column) {
    return config::to_string(config::ColumnName{
        .schema = table.schema, .table = table.name, .column = column});
}

/// A [[route]] for each index of pgvector that is mirrored.
std::string routes_text(const DoctorFacts& facts, std::set<std::string>& served) {
    std::string text;
    std::set<std::pair<std::string, std::string>> written;
    for (const storage::Table& table : facts.catalogue.tables) {
        const std::string relation = relation_of(table);
        for (const storage::AnnIndex& ann : table.indexes) {
            const std::string column = table.source_of(ann);
            const std::string name = dotted(relation, column);
            if (!written.emplace(name, ann.operator_name).second) {
                continue;  // two indexes of one kind
            }
            served.insert(name);
            const VectorColumn* const known = find(facts.columns, relation, column);
            text += '\n';
            if (known != nullptr) {
                text +=
                    comment(known->type + ", " + rows_text(known->rows) + ", " + known->indexes);
            }
            if (ann.partial) {
                text += comment("of a part of its rows: searches whose WHERE says so are served");
            }
            text += "[[route]]\ncolumn = " + quoted(column_text(table, column)) +
                    "\noperator = " + quoted(ann.operator_name) + "\npercent = 0\n";
        }
    }
    return text;
}

/// Why the other columns are not served, and what would have to be said or done.
std::string others_text(const DoctorFacts& facts, const std::set<std::string>& served) {
    std::string text;
    for (const VectorColumn& column : facts.columns) {
        const std::string name = dotted(column.table, column.column);
        if (served.contains(name)) {
            continue;
        }
        const auto refused = std::find_if(
            facts.catalogue.refused.begin(),
            facts.catalogue.refused.end(),
            [&column](const auto& each) { return each.name.starts_with(column.table); }
        );
        std::string why =
            "no index of pgvector: its searches are exact today. Named in a [[route]] "
            "it is served all the same.";
        if (!column.has_key) {
            why = "no primary key: veer doctor --fix-sql has what is missing.";
        } else if (column.row_security) {
            why = "row level security: it stays on PostgreSQL.";
        } else if (refused != facts.catalogue.refused.end()) {
            why = refused->reason;
        }
        std::string line = name;
        text += '\n' + comment(line.append("  ").append(column.type).append(": ").append(why));
    }
    return text;
}

}  // namespace

std::string initial_config(const DoctorFacts& facts, const std::string& dsn) {
    std::set<std::string> served;
    const std::string routes = routes_text(facts, served);
    std::string text =
        "# Written by veer init after a look at the server, which it did not change.\n"
        "# PostgreSQL answers every search until a share says otherwise:\n"
        "#   veer doctor                what the server still lacks\n"
        "#   veer run                   serves; put its address into your application\n"
        "#   veer shadow ROUTE          compares a sample of searches, nobody waits for it\n"
        "#   veer promote ROUTE         the first per cent, once comparisons allow it\n"
        "#   veer rollback ROUTE        back to PostgreSQL, at once\n"
        "# veer check-config -c FILE prints every key with its default.\n\n";
    text += comment(
        "PostgreSQL " + facts.server.version_text +
        (facts.server.pgvector.empty() ? ", without pgvector in this database"
                                       : ", pgvector " + facts.server.pgvector)
    );
    text += "[upstream]\ndsn = " + quoted(dsn) +
            "\n\n[listen]\naddress = \"127.0.0.1\"\nport = 7432\n\n"
            "[defaults]\npercent = 0   # of routes that are not named below\n\n"
            "[compare]\nrate = 0.1   # of the searches of a route, from shadow on\n";
    text += routes;
    text += others_text(facts, served);
    return text;
}

}  // namespace veer::proxy::cli
