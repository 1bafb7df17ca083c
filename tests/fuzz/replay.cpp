#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// Stands in for libFuzzer where a target is built without it: runs the target once on each file of
// the directories named, so that every build replays the kept corpus.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    std::printf("%s\n", path.filename().c_str());
    std::fflush(stdout);  // the last line names the input of a crash
    const void* data = bytes.data();
    return LLVMFuzzerTestOneInput(static_cast<const std::uint8_t*>(data), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
    int files = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
            if (replay(entry.path()) != 0) {
                return 1;
            }
            ++files;
        }
    }
    return files > 0 ? 0 : 1;
}
