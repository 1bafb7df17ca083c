#include "proxy/cli/command_line.hpp"
#include "proxy/cli/drill_text.hpp"
#include "proxy/cli/status_text.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

// What asks a running veer: status, routes, show, panic, resume, set-percent, shadow, promote and
// its kin, reload.

namespace veer::proxy::cli {

namespace {

constexpr int not_compared = 2;

int print(const Trouble& trouble, bool json) {
    if (json) {
        std::fputs(to_json(trouble).c_str(), stdout);
    } else {
        const std::string hint = trouble.hint.empty() ? "" : "\n  " + trouble.hint;
        std::fprintf(stderr, "veer: %s%s\n", trouble.message.c_str(), hint.c_str());
    }
    return trouble.unreachable ? unreachable : failed;
}

/// Asks one statement and prints its rows.
int ask_and_print(const Flags& flags, const std::string& statement) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    const auto answer = ask(directory, statement);
    if (answer.has_error()) {
        return print(answer.error(), flags.json);
    }
    std::fputs((flags.json ? to_json(*answer) : to_table(*answer)).c_str(), stdout);
    return succeeded;
}

/// SQL's quotes: what is inside cannot be anything but text.
std::string sql_literal(std::string_view text) {
    std::string literal = "'";
    for (const char c : text) {
        literal += c == '\'' ? "''" : std::string(1, c);
    }
    return literal + '\'';
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

bool terminal_is_utf8() {
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            const std::string_view text(value);
            return text.find("UTF-8") != std::string_view::npos ||
                   text.find("utf8") != std::string_view::npos;
        }
    }
    return false;
}

int status(const Flags& flags, bool watch) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    Look before;
    for (;;) {
        Look look;
        for (const auto& [answer, statement] :
             {std::pair(&look.version, "SHOW VERSION"),
              std::pair(&look.routes, "SHOW ROUTES"),
              std::pair(&look.replication, "SHOW REPLICATION"),
              std::pair(&look.indexes, "SHOW INDEXES")}) {
            auto asked = ask(directory, statement);
            if (asked.has_error()) {
                return print(asked.error(), flags.json);
            }
            *answer = *std::move(asked);
        }
        if (flags.json) {
            std::fputs(to_json(look.routes).c_str(), stdout);
        } else {
            const char* const home = watch && isatty(STDOUT_FILENO) != 0 ? "\x1b[H\x1b[2J" : "";
            std::fputs((home + status_text(look, before, terminal_is_utf8())).c_str(), stdout);
        }
        std::fflush(stdout);
        if (!watch) {
            return succeeded;
        }
        before = std::move(look);
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
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

/// A command that is one statement.
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
    command->add_option("ROUTE", words->route, "As in veer routes; else every table");
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
    command->add_option("ROUTE", words->route, "As in veer routes; may be left out if it is alone");
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

    static constexpr std::array<Move, 9> moves{{
        {"observe", "Postgres answers, and nothing is compared"},
        {"shadow", "Postgres answers, and a sample is compared with the index"},
        {"promote", "The next step up, or the share that --to says"},
        {"confirm", "A trial becomes what holds"},
        {"rollback", "Postgres answers; ROUTE all: of every route"},
        {"hold", "No raise, until the console says RESUME"},
        {"undo", "Back to what was before the last move"},
        {"ack", "A person has looked at what a guard found"},
        {"reopen", "A complete route is compared again"},
    }};

    struct Words {
        std::string route;
        std::string to;
        std::string lasting;
        std::string reason;
    };

    for (const Move& move : moves) {
        const auto words = std::make_shared<Words>();
        const std::string verb = move.name;
        CLI::App* const command =
            add_statement(app, flags, chosen, move.name, move.about, [words, verb] {
                const bool all = verb == "rollback" && words->route == "all";
                std::string text = verb + ' ' + (all ? words->route : sql_literal(words->route));
                text += words->to.empty() ? "" : " TO " + words->to;
                text += words->lasting.empty() ? "" : " FOR " + sql_literal(words->lasting);
                return with_reason(text, words->reason);
            });
        command->add_option("ROUTE", words->route, "As in veer routes, or its table")->required();
        command->add_option("--reason", words->reason, "For the audit");
        if (verb == "promote") {
            command->add_option("--to", words->to, "0 to 100")->check(CLI::Range(0.0, 100.0));
            command->add_option("--for", words->lasting, "A trial: 10m, and back unless confirmed");
        }
    }
}

}  // namespace

void add_live_commands(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string reason;
        std::string route;
        std::string relation;
        std::string percent;
        bool watch = false;
    };

    const auto words = std::make_shared<Words>();
    CLI::App* const show_status =
        app.add_subcommand("status", "What is served, and how much of it");
    add_place_options(*show_status, flags);
    add_json_option(*show_status, flags);
    show_status->add_flag("-w,--watch", words->watch, "Again every second");
    show_status->callback([&flags, &chosen, words] {
        chosen = [&flags, words] {
            return status(flags, words->watch);
        };
    });
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
    add_statement(app, flags, chosen, "resume", "Take a panic back", [words] {
        return with_reason("UNPANIC", words->reason);
    })->add_option("--reason", words->reason, "For the log");
    add_moves(app, flags, chosen);
    CLI::App* const share =
        add_statement(app, flags, chosen, "set-percent", "Move a share of a route", [words] {
            return with_reason(
                "ALTER ROUTE " + sql_literal(words->route) + " SET TRAFFIC " + words->percent,
                words->reason
            );
        });
    share->add_option("ROUTE", words->route, "As in veer routes")->required();
    share->add_option("PERCENT", words->percent, "0 to 100")
        ->required()
        ->check(CLI::Range(0.0, 100.0));
    share->add_option("--reason", words->reason, "For the audit");
    add_verify(app, flags, chosen);
    add_drill(app, flags, chosen);
    add_statement(app, flags, chosen, "reload", "Read veer.toml again, all or nothing", [] {
        return "RELOAD";
    });
}

}  // namespace veer::proxy::cli
