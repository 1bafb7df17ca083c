#include "tests/integration/playground.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

// Traffic moves to the index and back, under clients.

namespace veer::tests {

namespace {

std::string search_near(int i, const std::string& comment = "") {
    const double first = (i % 1000) / 1000.0;
    return "SELECT id FROM docs ORDER BY e <=> '[" + std::to_string(first) +
           ",-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' LIMIT 5 " + comment;
}

std::string percent(int share) {
    return "[defaults]\npercent = " + std::to_string(share) + "\n";
}

/// What SHOW veer.routes says of docs.
std::string shown(Client& client, const std::string& column) {
    const Outcome routes = client.simple("SHOW veer.routes");
    for (std::size_t i = 0; i < routes.columns.size(); ++i) {
        for (const auto& row : routes.rows) {
            if (routes.columns[i].name == column &&
                row.at(0).value_or("").starts_with("public.docs.")) {
                return row.at(i).value_or("");
            }
        }
    }
    return {};
}

std::string last(Client& client, std::size_t column) {
    return client.simple("SHOW veer.last").rows.at(0).at(column).value_or("");
}

/// Of 200 different searches, how many are not decided by this reason. What the index is chosen for
/// may still go to Postgres, because of writes that it has not seen yet.
int decided_otherwise(Client& client, const std::string& reason) {
    int count = 0;
    for (int i = 0; i < 200; ++i) {
        client.simple(search_near(i));
        count += last(client, 1) == reason ? 0 : 1;
    }
    return count;
}

/// Clients that search, and one that writes, until told to stop. Whatever fails is counted.
class Crowd {
  public:
    explicit Crowd(const Playground& playground) {
        for (int i = 0; i < 8; ++i) {
            threads_.emplace_back([this, i, through = playground.through()] { run(through, i); });
        }
    }

    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    ~Crowd() { stop(); }

    void stop() {
        stopped_ = true;
        for (std::thread& thread : threads_) {
            thread.join();
        }
        threads_.clear();
    }

    int failed() const { return failed_; }

    int asked() const { return asked_; }

  private:
    void run(const std::string& through, int number) {
        Client client(through);
        for (int i = 0; !stopped_; ++i) {
            const bool writes = number == 0;
            const Outcome outcome =
                writes ? client.simple(
                             "UPDATE docs SET title = 'w' WHERE id = " + std::to_string(i % 100)
                         )
                       : client.simple(search_near(number * 131 + i));
            const bool right = writes || outcome.rows.size() == 5;
            failed_ += outcome.sqlstate.empty() && right ? 0 : 1;
            ++asked_;
        }
    }

    std::atomic<bool> stopped_ = false;
    std::atomic<int> failed_ = 0;
    std::atomic<int> asked_ = 0;
    std::vector<std::thread> threads_;
};

std::string file_text(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE(
    "observe, a quarter, all, panic by file and back, with no failed or short answer",
    "[integration]"
) {
    Playground playground(percent(0));
    const std::filesystem::path panic = playground.directory / "veer" / "data" / "panic";
    Client client(playground.through());
    Crowd crowd(playground);
    CHECK(decided_otherwise(client, "percent") == 0);
    CHECK(shown(client, "cutover") == "observe");
    playground.veer.reload(percent(25));
    playground.await_percent("25");
    const int quarter = decided_otherwise(client, "percent");
    CHECK(quarter > 20);
    CHECK(quarter < 80);
    CHECK(shown(client, "cutover") == "canary");
    playground.veer.reload(percent(100));
    playground.await_percent("100");
    CHECK(wait_until([&] {
        client.simple(search_near(1));
        return last(client, 0) == "veer";
    }));
    CHECK(shown(client, "cutover") == "full");
    std::ofstream(panic).flush();
    CHECK(wait_until([&] { return shown(client, "why") == "panic"; }));
    CHECK(decided_otherwise(client, "panic") == 0);
    CHECK(shown(client, "desired") == "100");
    CHECK(shown(client, "effective") == "0");
    std::filesystem::remove(panic);
    CHECK(wait_until([&] { return shown(client, "effective") == "100"; }));
    playground.veer.reload(percent(0));
    playground.await_percent("0");
    CHECK(decided_otherwise(client, "percent") == 0);
    crowd.stop();
    CHECK(crowd.failed() == 0);
    CHECK(crowd.asked() > 100);
    const std::string audit = file_text(playground.directory / "veer" / "data" / "audit.jsonl");
    CHECK(audit.find("\"to\":\"canary 25\"") != std::string::npos);
    CHECK(audit.find("\"action\":\"unpanic\"") != std::string::npos);
}

TEST_CASE(
    "after kill -9 the confirmed state holds; one that cannot be read keeps all on Postgres",
    "[integration]"
) {
    Playground playground(percent(100));
    const std::filesystem::path directory = playground.directory / "veer";
    const std::filesystem::path state = directory / "data" / "cutover.state";
    playground.veer.signal(SIGUSR2);
    CHECK(wait_until([&] { return file_text(state).find("panic\t1") != std::string::npos; }));
    playground.veer.stop(true);

    const auto lives = [&] {
        return std::make_unique<VeerProcess>(directory, playground.direct(), percent(100));
    };
    const std::string as_me = "user=postgres dbname=postgres";
    auto veer = lives();
    {
        Client client(veer->dsn(as_me));
        CHECK(wait_until([&] { return shown(client, "state") == "live"; }));
        client.simple(search_near(1));
        CHECK(last(client, 1) == "panic");
        veer->signal(SIGUSR2);
        CHECK(wait_until([&] {
            client.simple(search_near(1));
            return last(client, 0) == "veer";
        }));
    }
    veer->stop(true);

    const std::string good = file_text(state);
    std::ofstream(state, std::ios::trunc) << good.substr(0, good.size() / 2);
    veer = lives();
    Client client(veer->dsn(as_me));
    CHECK(wait_until([&] { return shown(client, "state") == "live"; }));
    client.simple(search_near(1));
    CHECK(last(client, 1) == "state_file");
    CHECK(shown(client, "desired") == "100");
    CHECK(shown(client, "effective") == "0");
    CHECK(veer->log().find("cut short") != std::string::npos);
    std::ofstream(state, std::ios::trunc) << good;
    veer->signal(SIGHUP);
    CHECK(wait_until([&] {
        client.simple(search_near(1));
        return last(client, 0) == "veer";
    }));
}

TEST_CASE("hints and rules lower the share, and postgres wins among them", "[integration]") {
    Playground playground(
        percent(100) +
        "[[rule]]\nid = 10\napplication = 'billing'\npin = 'postgres'\n"
        "[[rule]]\nid = 20\ntag = 'app=batch'\nmax_percent = 0\n"
    );
    Client client(playground.through());
    const auto goes = [&](const std::string& comment) {
        client.simple(search_near(1, comment));
        return last(client, 0) + ' ' + last(client, 1);
    };
    CHECK(goes("") == "veer local");
    CHECK(goes("/* veer: route=postgres */") == "postgres hint");
    CHECK(goes("/* NO LOAD BALANCE */") == "postgres hint");
    CHECK(goes("/*app='batch'*/") == "postgres percent");
    CHECK(goes("/*app='web'*/") == "veer local");
    client.simple("SET veer.route = 'veer'");
    CHECK(goes("/* veer: route=postgres */") == "postgres hint");
    CHECK(goes("/*app='batch'*/") == "veer local");  // a ceiling is no pin
    client.simple("SET application_name = 'billing'");
    CHECK(goes("/* veer: route=veer */") == "postgres rule");
    client.simple("RESET application_name; RESET veer.route");
    CHECK(goes("") == "veer local");
}

TEST_CASE("a share by role is all or nothing for a role", "[integration]") {
    Playground playground("[defaults]\npercent = 50\nsticky_by = 'role'\n");
    Client client(playground.through());
    const int answered = decided_otherwise(client, "percent");
    CHECK((answered == 0 || answered == 200));
}

}  // namespace veer::tests
