#include "proxy/cli/command_line.hpp"
#include "proxy/cli/drill_text.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

// What asks a running veer: routes, show, explain, panic, resume, set-percent, shadow, promote and
// its kin, reload.

namespace veer::proxy::cli {

namespace {

constexpr int not_compared = 2;

/// Asks one statement and prints its rows.
int ask_and_print(
    const Flags& flags, const std::string& statement, int seconds = patience_seconds
) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    const auto answer = ask(directory, statement, seconds);
    if (answer.has_error()) {
        return print(answer.error(), flags.json);
    }
    std::fputs((flags.json ? to_json(*answer) : to_table(*answer)).c_str(), stdout);
    return succeeded;
}

std::string with_reason(const std::string& statement, const std::string& reason) {
    return reason.empty() ? statement : statement + " REASON " + sql_literal(reason);
}

/// Empty where it is one word; else what is wrong with it, as CLI11 wants it.
std::string name_problem(const std::string& text) {
    const bool word = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalpha(c) != 0 || c == '_';
    });
    return word ? "" : "not the name of a table";
}

/// A ROUTE that is given is some route: "$ROUTE" without a value must not mean all, or a panic.
CLI::Option* add_route_option(CLI::App& command, std::string& route, const char* about) {
    return command.add_option("ROUTE", route, about)
        ->check(CLI::Validator(
            [](const std::string& text) { return text.empty() ? "is empty" : ""; }, "NAME"
        ));
}

/// Compares, for as long as that takes. Exit codes of its own: 0 equal, 1 some rows differed, 2 it
/// could not be found out.
int verify(const Flags& flags, const std::string& statement) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    const auto answer = ask(directory, statement, 0);
    if (answer.has_error()) {
        print(answer.error(), flags.json);
        return not_compared;
    }
    std::fputs((flags.json ? to_json(*answer) : to_table(*answer)).c_str(), stdout);
    const auto any = [&answer](std::string_view result) {
        return std::any_of(answer->rows.begin(), answer->rows.end(), [result](const auto& row) {
            return row.size() > 1 && row[1] == result;
        });
    };
    if (any("different")) {
        return failed;
    }
    return any("not compared") ? not_compared : succeeded;
}

/// Lasts for as long as guards and searches need, which has bounds (DrillWatch).
int drill(const Flags& flags, const std::string& statement) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    const auto answer = ask(directory, statement, 0);
    if (answer.has_error()) {
        return print(answer.error(), flags.json);
    }
    std::fputs((flags.json ? to_json(*answer) : drill_text(*answer)).c_str(), stdout);
    return drill_exit(*answer);
}

void add_verify(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string route;
        std::string rate;
    };

    const auto words = std::make_shared<Words>();
    CLI::App* const command = app.add_subcommand(
        "verify", "Compare tables with their copies; 0: equal, 1: rows differed, 2: could not"
    );
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    add_route_option(*command, words->route, "As in veer routes; else every table");
    command->add_option("--rate", words->rate, "Rows a second; as fast as it goes without it")
        ->check(CLI::PositiveNumber);
    command->callback([&flags, &chosen, words] {
        chosen = [&flags, words] {
            std::string statement = "VERIFY";
            statement += words->route.empty() ? "" : " " + sql_literal(words->route);
            statement += words->rate.empty() ? "" : " RATE " + words->rate;
            return verify(flags, statement);
        };
    });
}

void add_explain(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string search;
        std::string role;
        std::string application;
        std::string client;
    };

    const auto words = std::make_shared<Words>();
    CLI::App* const command = add_statement(
        app,
        flags,
        chosen,
        "explain",
        "Who would answer a search, and who decides that; nothing runs",
        [words] {
            std::string statement = "EXPLAIN ROUTE ";
            statement += words->role.empty() ? "" : "ROLE " + sql_literal(words->role) + ' ';
            statement += words->application.empty()
                             ? ""
                             : "APPLICATION " + sql_literal(words->application) + ' ';
            statement += words->client.empty() ? "" : "CLIENT " + sql_literal(words->client) + ' ';
            return statement + words->search;
        }
    );
    command->add_option("SQL", words->search, "A search, its query vector written into it")
        ->required();
    command->add_option("--role", words->role, "Whom rules are asked about");
    command->add_option("--application", words->application, "application_name, likewise");
    command->add_option("--client", words->client, "A client's address, likewise");
}

/// Lasts for as long as the searches of a golden set take, at each ef.
void add_tune(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string route;
        std::string recall;
    };

    const auto words = std::make_shared<Words>();
    CLI::App* const command = app.add_subcommand(
        "tune", "Recall and time of a route's golden searches at each ef; the least that holds"
    );
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    add_route_option(*command, words->route, "As in veer routes")->required();
    command->add_option("--recall", words->recall, "To be held (0.99)")
        ->check(CLI::Range(0.01, 1.0));
    command->callback([&flags, &chosen, words] {
        chosen = [&flags, words] {
            std::string statement = "TUNE " + sql_literal(words->route);
            statement += words->recall.empty() ? "" : " RECALL " + words->recall;
            return ask_and_print(flags, statement, 0);
        };
    });
}

void add_drill(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string route;
        std::string fault = "neighbours";
        std::string reason;
    };

    const auto words = std::make_shared<Words>();
    CLI::App* const command = app.add_subcommand(
        "drill", "Rehearse a failure, time the rollback; 0: confirmed, 1: not, 2: nobody searched"
    );
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    add_route_option(*command, words->route, "As in veer routes; may be left out if it is alone");
    command->add_option("--fault", words->fault, "What is made up")
        ->check(CLI::IsMember({"neighbours", "wrong", "slow", "lag"}))
        ->capture_default_str();
    command->add_option("--reason", words->reason, "For the audit");
    command->callback([&flags, &chosen, words] {
        chosen = [&flags, words] {
            std::string statement = "DRILL";
            statement += words->route.empty() ? "" : " " + sql_literal(words->route);
            statement += " FAULT " + sql_literal(words->fault);
            return drill(flags, with_reason(statement, words->reason));
        };
    });
}

/// What moves a route's traffic, a statement each.
void add_moves(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Move {
        const char* name;
        const char* about;
    };

    static constexpr std::array<Move, 13> moves{{
        {"off", "Postgres answers everybody, whatever a session asks for"},
        {"observe", "Postgres answers, and nothing is compared"},
        {"shadow", "Postgres answers, and a sample is compared with the index"},
        {"promote", "The next step up, or the share that --to says"},
        {"confirm", "A trial becomes what holds"},
        {"rollback", "Postgres answers; ROUTE all: of every route"},
        {"hold", "No raise, until resume ROUTE"},
        {"complete", "The last step: nothing is asked of Postgres' index any more; ROUTE in full"},
        {"undo", "Back to what was before the last move"},
        {"ack", "A person has looked at what a guard found"},
        {"reopen", "A complete route is compared again"},
        {"reshuffle", "Other searches belong to the share"},
        {"resume", "ROUTE may be raised again; without ROUTE a panic is taken back"},
    }};

    struct Words {
        std::string route;
        std::string to;
        std::string lasting;
        std::string version;
        std::string reason;
        bool dry_run = false;
    };

    for (const Move& move : moves) {
        const auto words = std::make_shared<Words>();
        const std::string verb = move.name;
        CLI::App* const command =
            add_statement(app, flags, chosen, move.name, move.about, [words, verb] {
                const bool all = verb == "rollback" && words->route == "all";
                std::string text = verb;
                text += words->route.empty() ? "" : ' ' + (all ? "all" : sql_literal(words->route));
                text += words->to.empty() ? "" : " TO " + words->to;
                text += words->version.empty() ? "" : " IF VERSION " + words->version;
                text += words->dry_run ? " DRY RUN" : "";
                text += words->lasting.empty() ? "" : " FOR " + sql_literal(words->lasting);
                return with_reason(text, words->reason);
            });
        add_route_option(*command, words->route, "As in veer routes, or its table")
            ->required(verb != "resume");
        command->add_option("--reason", words->reason, "For the audit");
        command->add_option("--if-version", words->version, "Only where it is still that one")
            ->check(CLI::NonNegativeNumber);
        command->add_flag("--dry-run", words->dry_run, "Says what would be, changes nothing");
        if (verb == "promote") {
            command->add_option("--to", words->to, "0 to 100")->check(CLI::Range(0.0, 100.0));
            command->add_option("--for", words->lasting, "A trial: 10m, and back unless confirmed");
        }
    }
}

/// Tables of the console that an operator asks for by name, and one search once more.
void add_looks(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Look {
        const char* name;
        const char* about;
        const char* relation;
    };

    static constexpr std::array<Look, 8> looks{{
        {"queries", "Shapes of searches, and who answered them", "queries"},
        {"gates", "What has to be proven before a raise", "gates"},
        {"guards", "What takes traffic back", "guards"},
        {"plan", "The steps ahead, and what each needs", "plan"},
        {"history", "The last decisions, latest first", "audit"},
        {"mismatches", "Answers that differed, latest first", "mismatches"},
        {"compare", "What comparisons have come to", "compare"},
        {"receipts", "The last searches: who answered, and why", "receipts"},
    }};

    struct Words {
        std::string route;
        std::string id;
        std::string ef;
    };

    for (const Look& look : looks) {
        const auto words = std::make_shared<Words>();
        const std::string relation = look.relation;
        CLI::App* const command =
            add_statement(app, flags, chosen, look.name, look.about, [words, relation] {
                std::string text = "SELECT * FROM veer." + relation;
                if (!words->route.empty()) {
                    text.append(" WHERE route LIKE ").append(sql_literal('%' + words->route + '%'));
                }
                return text;
            });
        add_route_option(*command, words->route, "Those whose name has it");
    }
    const auto words = std::make_shared<Words>();
    CLI::App* const replay = add_statement(
        app,
        flags,
        chosen,
        "replay",
        "Compare a kept search once more, as it is or with more effort",
        [words] {
            return "REPLAY MISMATCH " + words->id + (words->ef.empty() ? "" : " EF " + words->ef);
        }
    );
    replay->add_option("ID", words->id, "As in veer mismatches")
        ->required()
        ->check(CLI::PositiveNumber);
    replay->add_option("--ef", words->ef, "hnsw.ef_search of both engines")
        ->check(CLI::Range(1, 1000));
    CLI::App* const mismatch = add_statement(
        app,
        flags,
        chosen,
        "mismatch",
        "The three answers of a kept search, side by side",
        [words] { return "MISMATCH " + words->id; }
    );
    mismatch->add_option("ID", words->id, "As in veer mismatches")
        ->required()
        ->check(CLI::PositiveNumber);
}

/// What is done to, or measured of, one route's index.
void add_works(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Work {
        const char* name;
        const char* about;
        const char* statement;
    };

    static constexpr std::array<Work, 2> works{{
        {"rebuild", "Build a route's graph anew, in the background", "REBUILD INDEX "},
        {"calibrate",
         "The error of floats on a route's rows, and whether Postgres agrees with itself",
         "CALIBRATE "},
    }};
    for (const Work& work : works) {
        const auto route = std::make_shared<std::string>();
        const std::string statement = work.statement;
        CLI::App* const command =
            add_statement(app, flags, chosen, work.name, work.about, [route, statement] {
                return statement + sql_literal(*route);
            });
        add_route_option(*command, *route, "As in veer routes, or its table")->required();
    }
}

}  // namespace

CLI::App* add_statement(
    CLI::App& app,
    Flags& flags,
    Chosen& chosen,
    const char* name,
    const char* about,
    std::function<std::string()> statement
) {
    CLI::App* const command = app.add_subcommand(name, about);
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    command->callback([&flags, &chosen, statement = std::move(statement)] {
        chosen = [&flags, statement] {
            return ask_and_print(flags, statement());
        };
    });
    return command;
}

void add_live_commands(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string reason;
        std::string route;
        std::string relation;
        std::string percent;
    };

    const auto words = std::make_shared<Words>();
    add_status_command(app, flags, chosen);
    add_statement(app, flags, chosen, "routes", "SHOW ROUTES", [] { return "SHOW ROUTES"; });
    add_statement(app, flags, chosen, "reasons", "Why searches went where they went", [] {
        return "SHOW REASONS";
    });
    add_statement(
        app,
        flags,
        chosen,
        "show",
        "Any table of the console",
        [words] { return "SHOW " + words->relation; }
    )
        ->add_option("TABLE", words->relation, "As in SHOW TABLES")
        ->required()
        ->check(CLI::Validator(name_problem, "NAME"));
    add_statement(app, flags, chosen, "panic", "All searches to Postgres, at once", [words] {
        return with_reason("PANIC", words->reason);
    })->add_option("--reason", words->reason, "For the log");
    add_statement(app, flags, chosen, "unpanic", "Take a panic back", [words] {
        return with_reason("UNPANIC", words->reason);
    })->add_option("--reason", words->reason, "For the log");
    add_moves(app, flags, chosen);
    add_looks(app, flags, chosen);
    add_works(app, flags, chosen);
    CLI::App* const share =
        add_statement(app, flags, chosen, "set-percent", "Move a share of a route", [words] {
            return with_reason(
                "ALTER ROUTE " + sql_literal(words->route) + " SET TRAFFIC " + words->percent,
                words->reason
            );
        });
    add_route_option(*share, words->route, "As in veer routes")->required();
    share->add_option("PERCENT", words->percent, "0 to 100")
        ->required()
        ->check(CLI::Range(0.0, 100.0));
    share->add_option("--reason", words->reason, "For the audit");
    add_explain(app, flags, chosen);
    add_verify(app, flags, chosen);
    add_drill(app, flags, chosen);
    add_tune(app, flags, chosen);
    add_statement(app, flags, chosen, "reload", "Read veer.toml again, all or nothing", [] {
        return "RELOAD";
    });
}

}  // namespace veer::proxy::cli
