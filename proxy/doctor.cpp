#include "proxy/doctor.hpp"

#include "proxy/admin/json.hpp"

#include <algorithm>
#include <cstdio>

namespace veer::proxy {

namespace {

using admin::json_string;

constexpr int version_min = 150'000;
constexpr int version_of_decoding_standbys = 160'000;
constexpr std::int64_t long_transaction_s = 60;

std::string with_unit(std::int64_t count, const char* unit) {
    return std::to_string(count) + ' ' + unit;
}

/// "public.documents" becomes "public"."documents".
std::string quoted(const std::string& table) {
    std::string text = "\"";
    for (const char c : table) {
        text += c == '.' ? "\".\"" : (c == '"' ? "\"\"" : std::string(1, c));
    }
    return text + '"';
}

class Examination {
  public:
    explicit Examination(const DoctorFacts& facts) : facts_(facts), server_(facts.server) {}

    std::vector<Finding> run() {
        connection();
        extension();
        for (const VectorColumn& column : facts_.columns) {
            table(column);
        }
        if (facts_.columns.empty()) {
            add("tables with vectors", Mark::problem, "no column of type vector", "VD020");
        }
        change_feed();
        return std::move(findings_);
    }

  private:
    void add(
        const char* section,
        Mark mark,
        std::string text,
        const char* code = "",
        std::string fix = ""
    ) {
        findings_.push_back(
            {.section = section,
             .mark = mark,
             .text = std::move(text),
             .code = code,
             .fix = std::move(fix)}
        );
    }

    void connection() {
        const char* const section = "connection";
        char trip[32];
        std::snprintf(trip, sizeof trip, "%.1f", server_.round_trip_ms);
        add(section,
            Mark::good,
            "connected to " + (server_.address.empty() ? "a Unix socket" : server_.address) +
                ", database " + server_.database + ", as " + server_.role + ", " +
                (server_.tls.empty() ? "not encrypted" : server_.tls) + ", round trip " + trip +
                " ms");
        const std::string what = "PostgreSQL " + server_.version_text +
                                 (server_.in_recovery ? ", standby" : ", primary");
        if (server_.version < version_min) {
            add(section, Mark::problem, what + ": the copy needs 15 or later", "VD010");
        } else if (server_.in_recovery && server_.version < version_of_decoding_standbys) {
            add(section,
                Mark::problem,
                what + ", which cannot decode before 16: name the primary",
                "VD011");
        } else {
            add(section, Mark::good, what);
        }
        if (!server_.same_backend) {
            add(section,
                Mark::problem,
                "a pooler is in between, which gives each statement another session: veer has to "
                "talk to Postgres itself",
                "VD012");
        }
    }

    void extension() {
        const char* const section = "extension";
        if (server_.pgvector.empty()) {
            add(section,
                Mark::problem,
                "pgvector is not installed in this database",
                "VD013",
                "CREATE EXTENSION vector;");
            return;
        }
        add(section,
            Mark::good,
            "pgvector " + server_.pgvector + " in schema " + server_.pgvector_schema);
        if (!server_.pgvector_available.empty() && server_.pgvector_available != server_.pgvector) {
            add(section,
                Mark::note,
                server_.pgvector_available + " is available on this server",
                "VD014");
        }
    }

    void table(const VectorColumn& column) {
        const char* const section = "tables with vectors";
        const std::string name = column.table + '.' + column.column;
        char rows[32];
        std::snprintf(rows, sizeof rows, "%.0f", std::max(0.0, column.rows));
        const std::string what = name + "  " + column.type + "  about " + rows + " rows";
        if (column.row_security) {
            add(section, Mark::aside, what + "; row level security: stays on Postgres", "VD040");
            return;
        }
        if (!column.has_key) {
            add(section,
                Mark::problem,
                what + "; no primary key",
                "VD022",
                "ALTER TABLE " + quoted(column.table) +
                    " ADD PRIMARY KEY (...);  -- the columns that name a row");
            return;
        }
        if (column.indexes.empty()) {
            add(section,
                Mark::note,
                what + "; no vector index: Postgres answers exactly, and veer leaves it alone",
                "VD031");
            return;
        }
        const auto refused = std::find_if(
            facts_.catalogue.refused.begin(),
            facts_.catalogue.refused.end(),
            [&column](const storage::source::Refusal& each) {
                return each.name.find(column.table) != std::string::npos ||
                       column.indexes.find(each.name) != std::string::npos;
            }
        );
        if (refused != facts_.catalogue.refused.end()) {
            add(section, Mark::problem, what + "; " + refused->reason, "VD030");
            return;
        }
        add(section, Mark::good, what + "; " + column.indexes);
        if (!column.owned) {
            add(section,
                Mark::problem,
                column.table + " does not belong to " + server_.role +
                    ", who therefore cannot publish it",
                "VD023",
                "ALTER PUBLICATION veer ADD TABLE " + quoted(column.table) +
                    ";  -- run by its owner, or: GRANT its owner TO " + server_.role + ';');
        }
    }

    void change_feed() {
        const char* const section = "change feed";
        if (server_.wal_level == "logical") {
            add(section, Mark::good, "wal_level is logical");
        } else {
            add(section,
                Mark::problem,
                "wal_level is " + server_.wal_level + ", must be logical (needs a restart)",
                "VD001",
                server_.has_rds_replication
                    ? "-- in the parameter group: rds.logical_replication = 1, then reboot"
                    : "ALTER SYSTEM SET wal_level = 'logical';  -- then restart PostgreSQL");
        }
        rights(section);
        limits(section);
    }

    void rights(const char* section) {
        const std::string role = quoted(server_.role);
        if (server_.may_replicate) {
            add(section, Mark::good, "role " + server_.role + " may replicate");
        } else {
            add(section,
                Mark::problem,
                "role " + server_.role + " lacks REPLICATION",
                "VD003",
                server_.has_rds_replication ? "GRANT rds_replication TO " + role + ';'
                                            : "ALTER ROLE " + role + " REPLICATION;");
        }
        if (!server_.may_create) {
            add(section,
                Mark::problem,
                "role " + server_.role + " may not create a publication in this database",
                "VD004",
                "GRANT CREATE ON DATABASE " + quoted(server_.database) + " TO " + role + ';');
        }
    }

    void limits(const char* section) {
        const bool full =
            server_.slots_used >= server_.slots_max || server_.senders_used >= server_.senders_max;
        const std::string used = "replication slots " + std::to_string(server_.slots_used) +
                                 " of " + std::to_string(server_.slots_max) +
                                 " used, wal senders " + std::to_string(server_.senders_used) +
                                 " of " + std::to_string(server_.senders_max);
        add(section,
            full ? Mark::problem : Mark::good,
            used,
            full ? "VD006" : "",
            full ? "ALTER SYSTEM SET max_replication_slots = 20; ALTER SYSTEM SET max_wal_senders "
                   "= 20;  -- then restart PostgreSQL"
                 : "");
        if (server_.slot_keep_mb < 0) {
            add(section,
                Mark::note,
                "max_slot_wal_keep_size is -1: while veer is down, its slot could fill the disk",
                "VD005");
        }
        if (!server_.idle_veer_slots.empty()) {
            add(section,
                Mark::note,
                "slots of other veers that nobody reads: " + server_.idle_veer_slots +
                    " (veer eject removes one)",
                "VD007");
        }
        const bool long_one = server_.oldest_transaction_s >= long_transaction_s;
        add(section,
            long_one ? Mark::note : Mark::good,
            "oldest transaction " + with_unit(server_.oldest_transaction_s, "s") +
                (server_.prepared_transactions == 0
                     ? ", no prepared transactions"
                     : ", prepared transactions: " + std::to_string(server_.prepared_transactions)
                ) +
                (long_one ? "; a copy waits for it" : ""),
            long_one ? "VD008" : "");
    }

    const DoctorFacts& facts_;
    const ServerFacts& server_;
    std::vector<Finding> findings_;
};

std::string_view sign_of(Mark mark, bool utf8) {
    switch (mark) {
        case Mark::good:
            return utf8 ? "✔" : "ok";
        case Mark::note:
            return "!";
        case Mark::problem:
            return utf8 ? "✘" : "NO";
        case Mark::aside:
            return utf8 ? "–" : "-";
    }
    return "";
}

std::size_t count_of(const std::vector<Finding>& findings, Mark mark) {
    return static_cast<std::size_t>(std::count_if(
        findings.begin(), findings.end(), [mark](const Finding& each) { return each.mark == mark; }
    ));
}

}  // namespace

std::string_view word_of(Mark mark) {
    switch (mark) {
        case Mark::good:
            return "ok";
        case Mark::note:
            return "note";
        case Mark::problem:
            return "problem";
        case Mark::aside:
            return "aside";
    }
    return "";
}

std::vector<Finding> examine(const DoctorFacts& facts) {
    return Examination(facts).run();
}

bool has_problem(const std::vector<Finding>& findings) {
    return count_of(findings, Mark::problem) > 0;
}

std::string to_text(const std::vector<Finding>& findings, bool utf8) {
    std::string text;
    std::string section;
    for (const Finding& finding : findings) {
        if (finding.section != section) {
            section = finding.section;
            text += section + '\n';
        }
        text += "  " + std::string(sign_of(finding.mark, utf8)) + ' ' + finding.text;
        text += finding.code.empty() ? "\n" : "  [" + finding.code + "]\n";
        if (!finding.fix.empty()) {
            text += "      fix: " + finding.fix + '\n';
        }
    }
    return text + '\n' + std::to_string(count_of(findings, Mark::problem)) + " problems, " +
           std::to_string(count_of(findings, Mark::note)) +
           " notes. Nothing was changed; veer passes everything through in any case.\n";
}

std::string to_json(const std::vector<Finding>& findings) {
    std::string rows;
    std::string steps;
    for (const Finding& finding : findings) {
        rows += (rows.empty() ? "" : ",") + (R"({"code":)" + json_string(finding.code)) +
                R"(,"section":)" + json_string(finding.section) + R"(,"status":)" +
                json_string(word_of(finding.mark)) + R"(,"detail":)" + json_string(finding.text) +
                R"(,"fix":)" + json_string(finding.fix) + '}';
        if (finding.mark == Mark::problem && !finding.fix.empty()) {
            steps += (steps.empty() ? "" : ",") + json_string(finding.fix);
        }
    }
    const std::size_t problems = count_of(findings, Mark::problem);
    return R"({"ok":)" + std::string(problems == 0 ? "true" : "false") + R"(,"reason":)" +
           json_string(problems == 0 ? "" : std::to_string(problems) + " problems") +
           R"(,"next_steps":[)" + steps + R"(],"rows":[)" + rows + "]}\n";
}

std::string to_sql(const std::vector<Finding>& findings) {
    std::string sql;
    for (const Finding& finding : findings) {
        if (finding.mark == Mark::problem) {
            sql += "-- " + finding.code + ": " + finding.text + '\n' +
                   (finding.fix.empty() ? "" : finding.fix + '\n');
        }
    }
    return sql;
}

}  // namespace veer::proxy
