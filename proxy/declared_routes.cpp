#include "proxy/declared_routes.hpp"

#include "proxy/state_files.hpp"

#include <spdlog/spdlog.h>

#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>

namespace veer::proxy {

namespace {

constexpr const char* file_name = "routes";
constexpr const char* what_to_do =
    " It says which indexes statements have made (CREATE INDEX USING veer, veer.register). Bring "
    "back a copy of it; or move it away, and none of them is left.";

}  // namespace

boost::system::result<std::unique_ptr<router::Declarations>, std::string> load_declarations(
    const std::filesystem::path& directory, const std::string& database
) {
    const std::filesystem::path path = directory / file_name;
    router::Declarations::All known;
    std::error_code error;
    if (std::filesystem::exists(path, error) || error) {
        const std::ifstream stream(path, std::ios::binary);
        std::ostringstream text;
        text << stream.rdbuf();
        if (!stream) {
            return path.string() + " cannot be read." + what_to_do;
        }
        auto read = router::declarations_from_text(database, text.str());
        if (const auto* const broken = std::get_if<router::BrokenText>(&read)) {
            return path.string() + ':' + std::to_string(broken->line) + ": " + broken->message +
                   '.' + what_to_do;
        }
        known = std::get<router::Declarations::All>(std::move(read));
    }
    return std::make_unique<router::Declarations>(
        std::move(known),
        database,
        [directory, database](const router::Declarations::All& all) {
            std::string problem =
                replace_file(directory, file_name, router::to_text(database, all));
            if (problem.empty()) {
                spdlog::info("{} routes are declared by statements", all.size());
            }
            return problem;
        }
    );
}

}  // namespace veer::proxy
