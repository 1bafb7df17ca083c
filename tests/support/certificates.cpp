#include "tests/support/certificates.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace veer::tests {

namespace fs = std::filesystem;

Certificates::Certificates() {
    std::string name = (fs::temp_directory_path() / "veer-tls-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error{"cannot make a temporary directory"};
    }
    directory_ = name;
    new_key("ca", "ec");
    run("req -x509 -new -key ca.key -subj '/CN=veer test authority' -days 2 -out ca.crt "
        "-addext basicConstraints=critical,CA:TRUE");
}

Certificates::~Certificates() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

void Certificates::run(const std::string& command) const {
    const std::string whole =
        "cd '" + directory_.string() + "' && openssl " + command + " >>log 2>&1";
    if (std::system(whole.c_str()) != 0) {
        std::ifstream log(directory_ / "log");
        std::ostringstream text;
        text << log.rdbuf();
        throw std::runtime_error{"openssl " + command + ":\n" + text.str()};
    }
}

fs::path Certificates::new_key(const std::string& name, const std::string& key_type) const {
    std::string algorithm = "EC -pkeyopt ec_paramgen_curve:P-256";
    if (key_type == "rsa") {
        algorithm = "RSA -pkeyopt rsa_keygen_bits:2048";
    } else if (key_type == "ed25519") {
        algorithm = "ED25519";
    }
    run("genpkey -algorithm " + algorithm + " -out " + name + ".key");
    fs::permissions(directory_ / (name + ".key"), fs::perms::owner_read | fs::perms::owner_write);
    return directory_ / (name + ".key");
}

Certificates::Pair Certificates::make(
    const std::string& common_name,
    const std::vector<std::string>& alternative_names,
    const std::string& key_type
) {
    const std::string name = "c" + std::to_string(++made_);
    const fs::path key = new_key(name, key_type);
    run("req -new -key " + name + ".key -subj '/CN=" + common_name + "' -out " + name + ".csr");
    std::string names;
    for (const std::string& each : alternative_names) {
        names += (names.empty() ? "subjectAltName=" : ",") + each;
    }
    std::ofstream(directory_ / (name + ".ext")) << "basicConstraints=CA:FALSE\n" << names << '\n';
    run("x509 -req -in " + name +
        ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile " + name + ".ext -out " +
        name + ".crt");
    return {.certificate = directory_ / (name + ".crt"), .key = key};
}

Certificates::Pair Certificates::make_self_signed(const std::string& common_name) {
    const std::string name = "c" + std::to_string(++made_);
    const fs::path key = new_key(name, "ec");
    run("req -x509 -new -key " + name + ".key -subj '/CN=" + common_name + "' -days 2 -out " +
        name + ".crt");
    return {.certificate = directory_ / (name + ".crt"), .key = key};
}

void Certificates::give_to(const std::string& user) const {
    const std::string command = "chown -R " + user + " '" + directory_.string() + "'";
    if (std::system(command.c_str()) != 0) {
        throw std::runtime_error{"cannot give the certificates to " + user};
    }
}

}  // namespace veer::tests
