#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <vector>

// veer eject: takes away what a veer that is gone has left at the server: its slot and its
// publication, and nothing else.

namespace veer::proxy::cli {

namespace {

using storage::source::Connection;

struct EjectFlags {
    std::string name;
    bool execute = false;
};

/// A veer's slot and publication share their name.
struct Remainder {
    std::string name;
    bool slot = false;
    bool active = false;
    bool publication = false;
};

constexpr const char* remainders_query = R"(
    SELECT coalesce(s.slot_name, p.pubname), s.slot_name IS NOT NULL, coalesce(s.active, false),
           p.pubname IS NOT NULL
      FROM (SELECT slot_name, active FROM pg_catalog.pg_replication_slots
             WHERE slot_name ~ '^veer_[0-9a-f]{8}$' AND plugin = 'pgoutput'
               AND database = pg_catalog.current_database()) s
      FULL JOIN (SELECT pubname FROM pg_catalog.pg_publication
                  WHERE pubname ~ '^veer_[0-9a-f]{8}$') p ON p.pubname = s.slot_name
     ORDER BY 1)";

int fail(const Flags& flags, const storage::Error& error) {
    const Trouble trouble{
        .unreachable = error.code == storage::Errc::connection,
        .sqlstate = "",
        .message = error.message,
        .hint = ""};
    if (flags.json) {
        std::fputs(to_json(trouble).c_str(), stdout);
    } else {
        std::fprintf(stderr, "veer: %s\n", trouble.message.c_str());
    }
    return trouble.unreachable ? unreachable : failed;
}

storage::Result<std::vector<Remainder>> find_remainders(
    Connection& connection, const std::string& name
) {
    auto rows = connection.query(remainders_query);
    if (!rows.has_value()) {
        return rows.error();
    }
    std::vector<Remainder> found;
    for (int i = 0; i < rows->size(); ++i) {
        if (name.empty() || rows->text(i, 0) == name) {
            found.push_back(
                {.name = rows->text(i, 0),
                 .slot = rows->boolean(i, 1),
                 .active = rows->boolean(i, 2),
                 .publication = rows->boolean(i, 3)}
            );
        }
    }
    return found;
}

/// Why one is left alone; empty where it is taken away.
storage::Result<std::string> remove(Connection& connection, const Remainder& remainder) {
    if (remainder.active) {
        return std::string("in use: stop that veer first");
    }
    if (remainder.slot) {
        auto dropped =
            storage::source::drop_slot(connection, remainder.name, "veer eject: nobody's name");
        if (!dropped.has_value()) {
            return dropped.error();
        }
    }
    if (remainder.publication) {
        auto dropped = storage::source::drop_publication(connection, remainder.name);
        if (!dropped.has_value()) {
            return dropped.error();
        }
    }
    return std::string();
}

int eject(const Flags& flags, const EjectFlags& words) {
    const auto config = load_config(flags.options);
    if (!config) {
        std::fprintf(stderr, "veer: %s\n", to_string(config.error()).c_str());
        return misused;
    }
    auto connection = Connection::open(
        {.dsn = config->upstream.dsn,
         .application_name = "veer eject",
         .replication = false,
         .wake = nullptr}
    );
    if (!connection.has_value()) {
        return fail(flags, connection.error());
    }
    auto found = find_remainders(*connection, words.name);
    if (!found.has_value()) {
        return fail(flags, found.error());
    }
    Answer answer{
        .columns = {{"name", 25}, {"slot", 16}, {"publication", 16}, {"result", 25}}, .rows = {}};
    bool all = true;
    for (const Remainder& each : *found) {
        std::string result = each.active ? "in use: stop that veer first" : "would be removed";
        if (words.execute) {
            auto removed = remove(*connection, each);
            if (!removed.has_value()) {
                return fail(flags, removed.error());
            }
            result = removed->empty() ? "removed" : *removed;
        }
        all = all && !each.active;
        answer.rows.push_back(
            {each.name, each.slot ? "t" : "f", each.publication ? "t" : "f", result}
        );
    }
    const std::string next =
        words.execute
            ? "Point the application at Postgres itself; veer's directory " + config->storage.dir +
                  " and its role can go, too."
            : "Nothing was changed. veer eject --execute removes these, and nothing else.";
    if (flags.json) {
        std::fputs(to_json(answer, {next}).c_str(), stdout);
    } else {
        std::fputs((to_table(answer) + '\n' + next + '\n').c_str(), stdout);
    }
    return all ? succeeded : failed;
}

}  // namespace

void add_eject_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    const auto words = std::make_shared<EjectFlags>();
    CLI::App* const command =
        app.add_subcommand("eject", "Remove a stopped veer's slot and publication at the server");
    command->add_option("NAME", words->name, "veer_01234567 (default: all that nobody uses)");
    command->add_flag("--execute", words->execute, "Do it; else it is only shown");
    command->add_option("--upstream", flags.options.upstream, "libpq connection string");
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    command->callback([&flags, &chosen, words] {
        chosen = [&flags, words] {
            return eject(flags, *words);
        };
    });
}

}  // namespace veer::proxy::cli
