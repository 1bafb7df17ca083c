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
        [&percent](const config::Config& config) { percent = config.defaults.percent; }
    );
    for (const int share : {2, 3}) {
        file.say("second", share);
        REQUIRE(live.reload().has_value());
        CHECK(applied == "host=first");
        CHECK(percent == share);
    }
    CHECK(live.state().current.upstream.dsn == "host=second");
}

}  // namespace veer::proxy
