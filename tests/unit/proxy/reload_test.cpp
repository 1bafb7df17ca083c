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

TEST_CASE("what is SET holds over reloads, until it is reset, by the rules of the file") {
    const File file;
    std::ofstream(file.path()) << "[compare]\nrate = 0.5\n";
    const RunOptions options{
        .config_file = file.path(), .upstream = {}, .listen = {}, .data_dir = {}};
    const auto started = load_config(options);
    REQUIRE(started.has_value());
    config::Config told;
    LiveConfig live(
        options,
        *started,
        [](const config::Config& /*config*/) { return std::string(); },
        [&told](const config::Config& config) { told = config; },
        [](const std::string& /*route*/) { return false; }
    );
    const auto changes = live.set("compare.load_max", "0.25");
    REQUIRE(changes.has_value());
    REQUIRE(changes->size() == 1);
    CHECK(changes->front().key == "compare.load_max");
    CHECK(told.compare.load_max == 0.25);
    CHECK(told.compare.rate == 0.5);
    std::ofstream(file.path()) << "[compare]\nrate = 0.75\nload_max = 0.5\n";
    REQUIRE(live.reload().has_value());
    CHECK(told.compare.rate == 0.75);
    CHECK(told.compare.load_max == 0.25);
    CHECK(live.state().file.compare.load_max == 0.5);
    CHECK(live.state().overrides.size() == 1);
    REQUIRE(live.set("compare.load_max", "0.125").has_value());
    CHECK(live.state().overrides.size() == 1);
    CHECK(live.preview()->empty());

    for (const auto& [key, value] :
         {std::pair{"compare.load_max", "65"},
          std::pair{"compare.load_max", "'much'"},
          std::pair{"compare.load_max", "much"},
          std::pair{"compare.load_max", "0.1\nrate = 1"},
          std::pair{"compare.nothing", "1"},
          std::pair{"nothing", "1"},
          std::pair{"guards.recall_floor", "0.99"}}) {  // above [gates] recall_min
        INFO(key << " = " << value);
        CHECK(live.set(key, value).has_error());
        CHECK(told.compare.load_max == 0.125);
        CHECK(live.state().overrides.size() == 1);
    }
    CHECK(live.state().refused == 0);  // a SET is no reload
    CHECK(live.state().last_worked);

    const std::string text = "[compare]\nrate = 0.75\nload_max = 0.5\n";
    std::ofstream(file.path()) << text + "budget_per_second = 7\n";  // somebody is writing it
    CHECK(live.set("compare.load_max", "0.375").has_error());
    CHECK(live.reset("compare.load_max").has_error());
    CHECK(told.compare.load_max == 0.125);
    CHECK(told.compare.budget_per_second != 7);
    std::ofstream(file.path()) << text;
    REQUIRE(live.reset("compare.load_max").has_value());
    CHECK(told.compare.load_max == 0.5);
    CHECK(live.state().overrides.empty());
}

}  // namespace veer::proxy
