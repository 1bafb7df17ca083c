#include "storage/source/tls_options.hpp"

#include "storage/source/connection_string.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace veer::storage::source {

namespace {

/// A home of the test's own, so that nobody's ~/.postgresql takes part.
class Home {
  public:
    Home() {
        std::string name = (std::filesystem::temp_directory_path() / "veer-home-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        directory_ = name;
        std::filesystem::create_directory(directory_ / ".postgresql");
        setenv("HOME", name.c_str(), 1);
    }

    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    ~Home() { std::filesystem::remove_all(directory_); }

    std::string add(const std::string& file) const {
        const auto path = directory_ / ".postgresql" / file;
        std::ofstream(path) << "x";
        return path;
    }

  private:
    std::filesystem::path directory_;
};

std::string problem(const std::string& dsn) {
    const auto options = parse_tls_options(dsn);
    return options.has_value() ? "none" : options.error().message;
}

}  // namespace

TEST_CASE("TlsOptions are libpq's, in both forms of the string", "[storage]") {
    const Home home;
    const std::string root = home.add("other.crt");
    for (const std::string& dsn :
         {"host=h sslmode=verify-full sslrootcert='" + root +
              "' sslcert=c sslkey=k sslpassword='p w' sslsni=0",
          "postgresql://h/db?sslmode=verify-full&sslrootcert=" + root +
              "&sslcert=c&sslkey=k&sslpassword=p%20w&sslsni=0"}) {
        CAPTURE(dsn);
        const auto options = parse_tls_options(dsn);
        REQUIRE(options.has_value());
        CHECK(options->mode == SslMode::verify_full);
        CHECK(options->authorities == root);
        CHECK(options->certificate == "c");
        CHECK(options->key == "k");
        CHECK(options->key_password == "p w");
        CHECK_FALSE(options->server_name);
        CHECK_FALSE(options->direct);
    }
}

TEST_CASE("TlsOptions are libpq's defaults where the string says nothing", "[storage]") {
    const Home home;
    const auto bare = parse_tls_options("host=h");
    REQUIRE(bare.has_value());
    CHECK(bare->mode == SslMode::prefer);
    CHECK(bare->authorities.empty());
    CHECK(bare->certificate.empty());
    CHECK(bare->server_name);

    const std::string root = home.add("root.crt");
    const std::string certificate = home.add("postgresql.crt");
    const auto with_files = parse_tls_options("host=h sslmode=require");
    REQUIRE(with_files.has_value());
    CHECK(with_files->authorities == root);
    CHECK(with_files->certificate == certificate);
}

TEST_CASE("TlsOptions know options that the installed libpq may not know", "[storage]") {
    const Home home;
    const auto direct = parse_tls_options("host=h sslnegotiation=direct sslmode=require");
    REQUIRE(direct.has_value());
    CHECK(direct->direct);
    CHECK(parse_tls_options("postgres://h/?sslnegotiation=direct&sslmode=require")->direct);
    CHECK_FALSE(parse_tls_options("sslnegotiation=postgres")->direct);

    const auto system = parse_tls_options("host=h sslrootcert=system");
    REQUIRE(system.has_value());
    CHECK(system->system_authorities);
    CHECK(system->mode == SslMode::verify_full);
}

TEST_CASE("TlsOptions are refused in libpq's words", "[storage]") {
    const Home home;
    CHECK(problem("sslmode=yes") == "invalid sslmode value: \"yes\".");
    CHECK(problem("sslnegotiation=maybe") == "invalid sslnegotiation value: \"maybe\".");
    CHECK(problem("sslmode=prefer sslnegotiation=direct")
              .starts_with("weak sslmode \"prefer\" may not be used with sslnegotiation=direct"));
    CHECK(problem("sslmode=require sslrootcert=system")
              .starts_with("weak sslmode \"require\" may not be used with sslrootcert=system"));
    CHECK(problem("sslmode=verify-ca")
              .starts_with("root certificate file \"~/.postgresql/root.crt\" does not exist"));
    CHECK(problem("sslmode=verify-ca sslrootcert=/nowhere")
              .starts_with("root certificate file \"/nowhere\" does not exist"));
    CHECK(problem("sslmode=require sslrootcert=/nowhere") == "none");
    CHECK(problem("password=hunter2 =").find("hunter2") == std::string::npos);
}

TEST_CASE("A keyword is taken out of a connection string, and nothing else", "[storage]") {
    const auto rest = [](std::string dsn) {
        const std::string taken = take_keyword(dsn, "k");
        return taken + '|' + dsn;
    };
    CHECK(rest("a=1 k=2 b=3") == "2|a=1  b=3");
    CHECK(rest("k = 'x y' b=3") == "x y| b=3");
    CHECK(rest("a='k=1' kk=2 k=3") == "3|a='k=1' kk=2 ");
    CHECK(rest("a=b\\ k=1 k=2") == "2|a=b\\ k=1 ");
    CHECK(rest("k=1 k=2") == "2| ");
    CHECK(rest("k") == "|k");
    CHECK(rest("postgres://h/d?a=1&k=2&b=3") == "2|postgres://h/d?a=1&b=3");
    CHECK(rest("postgres://h/d?k=2") == "2|postgres://h/d");
    CHECK(rest("postgres://k=1@h/d") == "|postgres://k=1@h/d");
}

TEST_CASE("Veer's own connections get a string that the installed libpq takes", "[storage]") {
    for (const std::string dsn :
         {"host=h sslmode=require sslnegotiation=direct",
          "host=h sslrootcert=system",
          "postgres://h/d?sslrootcert=system&sslnegotiation=direct"}) {
        CAPTURE(dsn);
        CHECK(parse_connection_string(dsn).has_value());
        CHECK(parse_connection_string(for_installed_libpq(dsn)).has_value());
    }
    CHECK(for_installed_libpq("host=h user=u") == "host=h user=u");
}

TEST_CASE(
    "The name in a server's certificate is the host's even where hostaddr says where it is",
    "[storage]"
) {
    const auto target =
        parse_connection_string("host=a.example,b.example hostaddr=127.0.0.1,127.0.0.2 port=1,2");
    REQUIRE(target.has_value());
    CHECK(
        target->hosts ==
        std::vector<Host>{{"127.0.0.1", 1, true, "a.example"}, {"127.0.0.2", 2, true, "b.example"}}
    );
    CHECK(
        parse_connection_string("hostaddr=127.0.0.1 port=1")->hosts ==
        std::vector<Host>{{"127.0.0.1", 1, true, ""}}
    );
}

}  // namespace veer::storage::source
