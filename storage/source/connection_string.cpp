#include "storage/source/connection_string.hpp"

#include "storage/source/tls_options.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <map>
#include <memory>

namespace veer::storage::source {

namespace {

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

void take_values(const Options& options, std::map<std::string, std::string>& values) {
    for (const PQconninfoOption* option = options.get();
         option != nullptr && option->keyword != nullptr;
         ++option) {
        if (option->val != nullptr && *option->val != '\0') {
            values[option->keyword] = option->val;
        }
    }
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> items;
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = list.find(',', begin);
        items.push_back(list.substr(begin, end == std::string::npos ? end : end - begin));
    }
    return items;
}

std::uint16_t port_number(const std::string& text) {
    constexpr std::uint16_t default_port = 5432;
    std::uint16_t port = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && stop == text.data() + text.size() && port != 0 ? port
                                                                                  : default_port;
}

/// Absent, "any", and whatever a later libpq may add: any.
TargetSessionAttrs session_attrs(const std::string& text) {
    static const std::map<std::string, TargetSessionAttrs> known{
        {"read-write", TargetSessionAttrs::read_write},
        {"read-only", TargetSessionAttrs::read_only},
        {"primary", TargetSessionAttrs::primary},
        {"standby", TargetSessionAttrs::standby},
        {"prefer-standby", TargetSessionAttrs::prefer_standby}};
    const auto found = known.find(text);
    return found == known.end() ? TargetSessionAttrs::any : found->second;
}

}  // namespace

Result<ConnectionTarget> parse_connection_string(const std::string& dsn) {
    std::string known = dsn;
    take_keyword(known, "sslnegotiation");  // newer than some libpq; tls_options.hpp has it
    char* message = nullptr;
    const Options given(PQconninfoParse(known.c_str(), &message));
    if (given == nullptr) {
        PQfreemem(message);
        return Error{Errc::unexpected, "this is not a libpq connection string (manual 34.1.1)."};
    }
    std::map<std::string, std::string> values;
    take_values(Options(PQconndefaults()), values);
    take_values(given, values);
    const std::string hosts = values.contains("hostaddr") ? values["hostaddr"] : values["host"];
    const std::vector<std::string> names = split(values["host"]);
    const std::vector<std::string> ports = split(values["port"]);
    ConnectionTarget target;
    for (const std::string& host : split(hosts)) {
        const std::size_t place = target.hosts.size();
        const std::string& port = ports.size() > place ? ports[place] : ports.back();
        target.hosts.push_back(
            {.name = host.empty() ? "localhost" : host,
             .port = port_number(port),
             .by_address = values.contains("hostaddr"),
             .certificate_name = place < names.size() ? names[place] : ""}
        );
    }
    target.session_attrs = session_attrs(values["target_session_attrs"]);
    target.shuffled = values["load_balance_hosts"] == "random";
    target.database = values.contains("dbname") ? values["dbname"] : values["user"];
    return target;
}

}  // namespace veer::storage::source
