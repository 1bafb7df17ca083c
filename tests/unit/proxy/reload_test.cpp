#include "proxy/reload.hpp"

#include "tests/unit/proxy/scratch_directory.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <string>

namespace veer::proxy {

namespace {

struct File {
    std::string path() const { return (directory.path / "veer.toml").string(); }

    void say(const std::string& host, int percent) const {
        std::ofstream(path()) << "[upstream]\ndsn = \"host=" << host
                              << "\"\n[defaults]\npercent = " << percent << '\n';
    }

    ScratchDirectory directory;
};

}  // namespace

TEST_CASE("certificates are checked for the server that this process talks to, after any reload") {
    const File file;
    file.say("first", 1);
    const RunOptions options{
        .config_file = file.path(), .upstream = {}, .listen = {}, .data_dir = {}};
    const auto started = load_config(options);
    REQUIRE(started.has_value());
    std::string applied;
    double percent = 0;
    LiveConfig live(
        options,
        *started,
        [&applied](const config::Config& config) {
            applied = config.upstream.dsn;
            return std::string();
        },
        [&percent](const config::Config& config) { percent = config.defaults.percent; },
        [](const std::string& /*route*/) { return false; }
    );
    for (const int share : {2, 3}) {
        file.say("second", share);
        REQUIRE(live.reload().has_value());
        CHECK(applied == "host=first");
        CHECK(percent == share);
    }
    CHECK(live.state().current.upstream.dsn == "host=second");
}

TEST_CASE("a reload in which a route is gone that has a share is refused, and a preview says so") {
    const File file;
    const std::string route =
        "[[route]]\ncolumn = \"public.docs.e\"\noperator = \"<=>\"\npercent = 5\n";
    std::ofstream(file.path()) << route;
    const RunOptions options{
        .config_file = file.path(), .upstream = {}, .listen = {}, .data_dir = {}};
    const auto started = load_config(options);
    REQUIRE(started.has_value());
    bool share = true;
    int configured = 0;
    LiveConfig live(
        options,
        *started,
        [](const config::Config& /*config*/) { return std::string(); },
        [&configured](const config::Config& /*config*/) { ++configured; },
        [&share](const std::string& name) { return share && name == "public.docs.e <=>"; }
    );
    std::ofstream(file.path()) << "[defaults]\npercent = 1\n";
    REQUIRE(live.preview().has_error());
    REQUIRE(live.reload().has_error());
    CHECK(live.reload().error().find("roll it back first") != std::string::npos);
    CHECK(live.state().refused == 2);
    CHECK(configured == 0);
    share = false;
    const auto shown = live.preview();
    REQUIRE(shown.has_value());
    CHECK(shown->size() == 2);  // the share of all others, and the route
    CHECK(configured == 0);
    REQUIRE(live.reload().has_value());
    CHECK(configured == 1);
    CHECK(live.preview()->empty());
}

}  // namespace veer::proxy
