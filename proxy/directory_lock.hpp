#pragma once

#include <boost/system/result.hpp>

#include <filesystem>
#include <string>

namespace veer::proxy {

/// One veer to a data directory: two would write each other's cutover.state, audit and token.
///
/// An advisory lock (flock) on the file veer.lock, which names its holder and stays when it is
/// gone: the kernel takes the lock back with the process, however that ends, so that no stale file
/// ever has to be removed by hand.
class DirectoryLock {
  public:
    /// Makes the directory where it is missing. A sentence where another process has it. Where the
    /// file system can lock nothing the directory is taken as it is, and trouble() says so.
    static boost::system::result<DirectoryLock, std::string> take(
        const std::filesystem::path& directory
    );

    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    ~DirectoryLock();

    /// Why it is not locked; empty where it is.
    const std::string& trouble() const { return trouble_; }

  private:
    DirectoryLock(int file, std::string trouble);

    int file_;
    std::string trouble_;
};

}  // namespace veer::proxy
