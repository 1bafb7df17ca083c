#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace veer::tests {

/// A certificate authority of the test's own, and certificates that it has signed, made by the
/// `openssl` program in a temporary directory that goes with the object.
class Certificates {
  public:
    struct Pair {
        std::filesystem::path certificate;
        std::filesystem::path key;  ///< mode 0600
    };

    Certificates();
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;
    ~Certificates();

    const std::filesystem::path& directory() const { return directory_; }

    /// The authority's own certificate.
    std::filesystem::path authority() const { return directory_ / "ca.crt"; }

    /// A certificate for the common name, with alternative names such as "DNS:db.example" or
    /// "IP:127.0.0.1". `key_type` is ec, rsa or ed25519.
    Pair make(
        const std::string& common_name,
        const std::vector<std::string>& alternative_names = {},
        const std::string& key_type = "ec"
    );

    /// One that the authority has not signed.
    Pair make_self_signed(const std::string& common_name);

    /// Gives the files to this user (PostgreSQL takes no key of another's) and lets it in.
    void give_to(const std::string& user) const;

  private:
    void run(const std::string& command) const;
    std::filesystem::path new_key(const std::string& name, const std::string& key_type) const;

    std::filesystem::path directory_;
    int made_ = 0;
};

}  // namespace veer::tests
