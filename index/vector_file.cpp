#include "index/vector_file.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace veer::index {

bool suits_vectors(const std::string& directory) {
    // Those on a disk of this machine, where what posix_fallocate() gave cannot run out: a page
    // that cannot be had raises SIGBUS. That is so of a network's (NFS, CIFS) and of whatever a
    // process makes up (FUSE), of what is memory itself (tmpfs), and of what writes anew at each
    // change (btrfs, ZFS, bcachefs). Of one that is not known here, nobody can say. overlayfs is a
    // container's own, of which new files lie in an upper directory, which must be a local one.
    constexpr std::uint32_t ext4 = 0xEF53;  // ext2 and ext3, too
    constexpr std::uint32_t xfs = 0x58465342;
    constexpr std::uint32_t overlayfs = 0x794C7630;
    constexpr std::array suited{ext4, xfs, overlayfs};

    struct statfs found {};

    return ::statfs(directory.c_str(), &found) == 0 &&
           std::find(suited.begin(), suited.end(), static_cast<std::uint32_t>(found.f_type)) !=
               suited.end();
}

}  // namespace veer::index
