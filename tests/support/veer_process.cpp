#include "tests/support/veer_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace veer::tests {

namespace {

/// Invariant 3.
std::string made_patient(std::string toml) {
    const std::string table = "[defaults]\n";
    if (toml.find("freshness_wait") == std::string::npos) {
        const std::size_t found = toml.find(table);
        const std::string wait = "freshness_wait = '1m'\n";
        toml = found == std::string::npos ? table + wait + toml
                                          : toml.insert(found + table.size(), wait);
    }
    return toml.find("[guards]") == std::string::npos
               ? toml + "\n[guards]\nlag_max = '1h'\nslow_share_max = 0.9\n"
               : toml;
}

}  // namespace

VeerProcess::VeerProcess(
    std::filesystem::path directory,
    const std::string& upstream,
    const std::string& toml,
    Build build
)
    : directory_(std::move(directory)), upstream_(upstream), build_(build) {
    std::filesystem::create_directories(directory_);
    write_config(toml);
    launch();
    await_port();
}

VeerProcess::~VeerProcess() {
    stop(true);
}

void VeerProcess::write_config(const std::string& toml) const {
    std::ofstream(directory_ / "veer.toml", std::ios::trunc) << made_patient(toml);
}

void VeerProcess::launch() {
    const std::string log = directory_ / "log";
    const std::string data = directory_ / "data";
    std::filesystem::remove(log);  // await_port() must not read the port of an earlier run
    pid_ = fork();
    if (pid_ != 0) {
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    if (chdir(directory_.c_str()) == 0) {
        execl(
            build_ == Build::whole ? VEER_BINARY : VEER_FAULTY_BINARY,
            "veer",
            "run",
            "--upstream",
            upstream_.c_str(),
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            data.c_str(),
            static_cast<char*>(nullptr)
        );
    }
    _exit(127);
}

void VeerProcess::await_port() {
    const std::regex listening("listens on 127\\.0\\.0\\.1:([0-9]+)");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
    while (std::chrono::steady_clock::now() < deadline) {
        const std::string text = log();
        std::smatch match;
        if (std::regex_search(text, match, listening)) {
            port_ = std::stoi(match[1]);
            return;
        }
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            throw std::runtime_error("veer ended at start-up:\n" + text);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    throw std::runtime_error("veer did not come to listen:\n" + log());
}

std::string VeerProcess::dsn(const std::string& rest) const {
    return "host=127.0.0.1 port=" + std::to_string(port_) + ' ' + rest;
}

void VeerProcess::reload(const std::string& toml) {
    write_config(toml);
    signal(SIGHUP);
}

void VeerProcess::signal(int number) const {
    ::kill(pid_, number);
}

void VeerProcess::set_fault(const std::string& fault) const {
    const std::filesystem::path next = directory_ / "faults.next";
    std::ofstream(next, std::ios::trunc) << fault;
    std::filesystem::rename(next, directory_ / "faults");  // never seen half written
}

int VeerProcess::stop(bool kill) {
    if (pid_ <= 0) {
        return 0;
    }
    int status = 0;
    signal(kill ? SIGKILL : SIGTERM);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
}

std::string VeerProcess::log() const {
    std::ifstream file(directory_ / "log");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

VeerProcess::Said VeerProcess::command(const std::string& words) const {
    const std::string data = directory_ / "data";
    const std::string line =
        std::string(VEER_BINARY) + ' ' + words + " --data-dir " + data + " 2>&1";
    Said said;
    FILE* const output = popen(line.c_str(), "r");
    if (output == nullptr) {
        return said;
    }
    for (int c = fgetc(output); c != EOF; c = fgetc(output)) {
        said.output.push_back(static_cast<char>(c));
    }
    const int status = pclose(output);
    said.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return said;
}

}  // namespace veer::tests
