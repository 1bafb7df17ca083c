#include "tests/demo/console.hpp"
#include "tests/demo/scene.hpp"
#include "tests/demo/search.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>

namespace veer::demo {
namespace {

constexpr double live_seconds = 300;

using Options = std::map<std::string, std::string>;

constexpr std::string_view usage =
    "usage: veer_demo load --direct DSN [--rows N]\n"
    "       veer_demo wait --veer DSN [--rows N]\n"
    "       veer_demo search --veer DSN --searches N [--from N] [--rows N]\n"
    "       veer_demo show --direct DSN --veer DSN --pid PID --config FILE [--rows N]\n";

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 2; i + 1 < argc; i += 2) {
        options[std::string(argv[i]).substr(2)] = argv[i + 1];
    }
    return options;
}

Scene scene_of(Options& options) {
    Scene scene;
    scene.direct = options["direct"];
    scene.veer = options["veer"];
    scene.veer_pid = static_cast<pid_t>(std::strtol(options["pid"].c_str(), nullptr, 10));
    scene.veer_config = options["config"];
    if (options.contains("rows")) {
        scene.table.rows = std::strtoul(options["rows"].c_str(), nullptr, 10);
    }
    return scene;
}

void load(const Scene& scene, Terminal& terminal) {
    const auto advance = [&](double share) {
        terminal.advance(share);
    };
    terminal.begin(
        "loaded " + grouped(static_cast<std::int64_t>(scene.table.rows)) +
        " documents with embedding vector(384)"
    );
    const auto source = [&](std::size_t number) {
        return scene.corpus.document(number);
    };
    load_documents(scene.direct, scene.table, source, advance);
    terminal.end();
    terminal.begin("CREATE INDEX ... USING hnsw (embedding vector_cosine_ops)");
    build_hnsw(scene.direct, scene.table, advance);
    terminal.end();
}

void wait(const Scene& scene, Terminal& terminal) {
    Connection console(scene.veer);
    terminal.begin("veer found the index, copied the table and is live");
    await_route(console, "documents", live_seconds, [&](const RouteStatus& status) {
        terminal.advance(status.progress / 100);
        return status.state == "live" && status.rows == static_cast<std::int64_t>(scene.table.rows);
    });
    terminal.end();
}

/// Different searches one after another, of a client that takes whoever answers.
void search(const Scene& scene, std::size_t from, std::size_t count, Terminal& terminal) {
    Connection client(scene.veer);
    Searcher searcher(client, {.table = scene.table.name});
    terminal.begin("asked " + grouped(static_cast<std::int64_t>(count)) + " searches");
    for (std::size_t i = 0; i < count; ++i) {
        searcher.search(scene.corpus.embedding(scene.table.rows + from + i));
        terminal.advance(static_cast<double>(i) / static_cast<double>(count));
    }
    terminal.end();
}

int show(const Scene& scene, Terminal& terminal) {
    Checks checks(terminal);
    compare_engines(scene, terminal, checks);
    show_visibility(scene, terminal, checks);
    show_cutover(scene, terminal, checks);
    if (checks.all_held()) {
        terminal.heading("All of it held.");
        return 0;
    }
    terminal.heading("This did not hold:");
    for (const std::string& failed : checks.failed()) {
        terminal.bad(failed);
    }
    return 1;
}

int run(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    Options options = read_options(argc, argv);
    const Scene scene = scene_of(options);
    Terminal terminal;
    if (command == "load") {
        load(scene, terminal);
    } else if (command == "wait") {
        wait(scene, terminal);
    } else if (command == "search") {
        const auto number = [&options](const char* name) {
            return std::strtoul(options[name].c_str(), nullptr, 10);
        };
        search(scene, number("from"), number("searches"), terminal);
    } else if (command == "show") {
        return show(scene, terminal);
    } else {
        std::fputs(usage.data(), stderr);
        return 2;
    }
    return 0;
}

}  // namespace
}  // namespace veer::demo

int main(int argc, char** argv) {
    try {
        return veer::demo::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "\n  ✗ %s\n", error.what());
        return 1;
    }
}
