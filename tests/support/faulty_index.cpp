#include "index/route_index.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

// An index that is broken on purpose, in a veer that is whole otherwise: the linker puts this in
// the way of RouteIndex::search() (--wrap, see CMakeLists.txt); not of search_exact(), the judge.
// The file "faults" in veer's working directory says what is wrong at the moment, one word and a
// number:
//
//     slow 40         every search takes 40 ms longer
//     unfiltered 1    conditions are forgotten
//     neighbours 1    the nearest rows are left out, as many as are asked for

namespace veer::index {

using Found = Result<std::vector<Hit>>;

Found whole_search(const RouteIndex* index, const SearchRequest& request) __asm__(
    "__real__ZNK4veer5index10RouteIndex6searchERKNS0_13SearchRequestE"
);
Found faulty_search(const RouteIndex* index, const SearchRequest& request) __asm__(
    "__wrap__ZNK4veer5index10RouteIndex6searchERKNS0_13SearchRequestE"
);

Found faulty_search(const RouteIndex* index, const SearchRequest& request) {
    std::string fault;
    long number = 0;
    std::ifstream("faults") >> fault >> number;
    if (fault == "slow") {
        std::this_thread::sleep_for(std::chrono::milliseconds(number));
    }
    SearchRequest wanted = request;
    if (fault == "unfiltered") {
        wanted.filter = nullptr;
    }
    if (fault == "neighbours") {
        wanted.k = 2 * request.k;
    }
    Found found = whole_search(index, wanted);
    if (fault == "neighbours" && found) {
        const std::size_t dropped = std::min(request.k, found->size());
        found->erase(found->begin(), found->begin() + static_cast<std::ptrdiff_t>(dropped));
    }
    return found;
}

}  // namespace veer::index
