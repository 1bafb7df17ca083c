#include "config/diff.hpp"
#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

// veer config check, diff, show: the file as it is read, against what runs, and what runs.

namespace veer::proxy::cli {

namespace {

int check_config(const Flags& flags) {
    const auto config = load_config(
        {.config_file = flags.options.config_file, .upstream = {}, .listen = {}, .data_dir = {}}
    );
    if (!config) {
        std::fprintf(stderr, "veer: %s\n", to_string(config.error()).c_str());
        return failed;
    }
    std::fputs(config::to_text(*config).c_str(), stdout);
    return succeeded;
}

void add_check(CLI::App& app, Flags& flags, Chosen& chosen, const char* name) {
    CLI::App* const check =
        app.add_subcommand(name, "Read the configuration and print what it means");
    check->add_option(
        "-c,--config",
        flags.options.config_file,
        "Configuration (default: ./veer.toml if there is one)"
    );
    check->callback([&flags, &chosen] {
        chosen = [&flags] {
            return check_config(flags);
        };
    });
}

/// What holds until it is taken back.
void add_settings(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string key;
        std::string value;
    };

    const auto words = std::make_shared<Words>();
    CLI::App* const set = add_statement(
        app,
        flags,
        chosen,
        "set",
        "Let a key hold another value than the file's, until it is reset or veer ends",
        [words] { return "SET " + words->key + " = " + words->value; }
    );
    set->add_option("KEY", words->key, "Such as compare.load_max")->required();
    set->add_option("VALUE", words->value, "As in veer.toml")->required();
    CLI::App* const reset =
        add_statement(app, flags, chosen, "reset", "What the file says holds again", [words] {
            return "RESET " + words->key;
        });
    reset->add_option("KEY", words->key, "Such as compare.load_max")->required();
}

/// Differences that are not counted for a while.
void add_ignore(CLI::App& app, Flags& flags, Chosen& chosen) {
    struct Words {
        std::string difference;
        std::string fingerprint;
        std::string until;
        std::string reason;
    };

    const auto words = std::make_shared<Words>();
    const auto what = [words] {
        return " CLASS " + sql_literal(words->difference) + " ON " +
               sql_literal(words->fingerprint);
    };
    const auto add_words = [words](CLI::App& command) {
        command.add_option("CLASS", words->difference, "As in veer mismatches")->required();
        command.add_option("FINGERPRINT", words->fingerprint, "Of a shape of search")->required();
    };
    CLI::App* const ignore = add_statement(
        app,
        flags,
        chosen,
        "ignore",
        "Do not count differences of a class for a while",
        [words, what] {
            return "IGNORE" + what() + " UNTIL " + sql_literal(words->until) + " REASON " +
                   sql_literal(words->reason);
        }
    );
    add_words(*ignore);
    ignore->add_option("--until", words->until, "2026-05-04, or 72h")->required();
    ignore->add_option("--reason", words->reason, "For the others")->required();
    add_words(*add_statement(app, flags, chosen, "unignore", "Count them again", [what] {
        return "UNIGNORE" + what();
    }));
}

}  // namespace

void add_config_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    add_check(app, flags, chosen, "check-config");
    CLI::App* const command =
        app.add_subcommand("config", "The configuration: the file's, and the running veer's");
    command->require_subcommand(1);
    add_check(*command, flags, chosen, "check");
    add_statement(*command, flags, chosen, "diff", "What a reload would change", [] {
        return "RELOAD DRY RUN";
    });
    add_statement(*command, flags, chosen, "show", "What the running veer goes by", [] {
        return "SHOW CONFIG";
    });
    add_settings(*command, flags, chosen);
    add_ignore(app, flags, chosen);
}

}  // namespace veer::proxy::cli
