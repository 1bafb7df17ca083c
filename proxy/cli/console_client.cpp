#include "proxy/cli/console_client.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/reader.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace veer::proxy::cli {

namespace {

using Outcome = boost::system::result<Answer, Trouble>;

constexpr std::size_t bytes_max = std::size_t{64} << 20U;

/// A descriptor, closed with the object.
class Connection {
  public:
    Connection(const std::string& path, int seconds_max)
        : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        const timeval patience{.tv_sec = seconds_max, .tv_usec = 0};
        connected_ = path.size() < sizeof name.sun_path && descriptor_ >= 0;
        if (connected_) {
            path.copy(name.sun_path, path.size());
            setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
            connected_ =
                ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
        }
        error_ = errno;
    }

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    ~Connection() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }

    bool connected() const { return connected_; }

    int error() const { return error_; }

    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// False at the end, or when patience is over.
    bool receive(std::string& bytes) const {
        std::array<char, 16'384> buffer{};
        const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (got > 0) {
            bytes.append(buffer.data(), static_cast<std::size_t>(got));
        }
        return got > 0;
    }

  private:
    int descriptor_;
    bool connected_ = false;
    int error_ = 0;
};

std::string startup_message() {
    std::string words;
    const auto add = [&words](std::string_view word) {
        words += word;
        words += '\0';
    };
    const char* const user = std::getenv("USER");
    for (const std::string_view word :
         {std::string_view("user"),
          std::string_view(user == nullptr || *user == '\0' ? "operator" : user),
          std::string_view("database"),
          std::string_view("veer"),
          std::string_view("application_name"),
          std::string_view("veer cli")}) {
        add(word);
    }
    add("");
    std::string message;
    constexpr std::uint32_t protocol = 196'608;  // 3.0
    for (const std::uint32_t number : {static_cast<std::uint32_t>(words.size() + 8), protocol}) {
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            message.push_back(static_cast<char>(number >> shift));
        }
    }
    return message + words;
}

std::string_view field_of(wire::Bytes payload, char wanted) {
    wire::Reader reader(payload);
    for (char field = static_cast<char>(reader.u8()); reader.ok() && field != '\0';
         field = static_cast<char>(reader.u8())) {
        const wire::Bytes value = reader.text();
        if (field == wanted) {
            return value;
        }
    }
    return {};
}

std::vector<Answer::Column> columns_of(wire::Bytes payload) {
    wire::Reader reader(payload);
    const std::size_t count = reader.u16();
    std::vector<Answer::Column> columns;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        Answer::Column column;
        column.name = reader.text();
        reader.bytes(6);
        column.type_oid = reader.u32();
        reader.bytes(8);
        columns.push_back(std::move(column));
    }
    return columns;
}

Outcome converse(const Connection& connection, const std::string& statement) {
    Trouble broken{
        .unreachable = true, .sqlstate = "08006", .message = "veer did not answer", .hint = {}};
    std::string bytes;
    std::string request = startup_message();
    for (const bool greeting : {true, false}) {
        bytes.clear();
        if (!connection.send(request)) {
            return broken;
        }
        std::optional<Outcome> answer;
        while (!(answer = read_answer(bytes))) {
            if (bytes.size() > bytes_max || !connection.receive(bytes)) {
                return broken;
            }
        }
        if (!greeting || answer->has_error()) {
            return *std::move(answer);
        }
        request.clear();
        wire::write_query(request, statement);
    }
    return broken;
}

}  // namespace

std::optional<Outcome> read_answer(const std::string& bytes) {
    Answer answer;
    std::optional<Trouble> trouble;
    wire::Bytes rest = bytes;
    wire::FrameHeader header;
    while (wire::peek_header(rest, header) == wire::FrameStatus::ok &&
           rest.size() >= header.whole_bytes) {
        const wire::Frame frame = wire::frame_at(rest, header);
        rest.remove_prefix(header.whole_bytes);
        if (frame.type == 'T') {
            answer.columns = columns_of(frame.payload);
        } else if (frame.type == 'D') {
            auto& row = answer.rows.emplace_back();
            for (const auto& field : wire::decode_data_row(frame.payload)
                                         .value_or(std::vector<std::optional<wire::Bytes>>{})) {
                row.push_back(field ? std::optional<std::string>(*field) : std::nullopt);
            }
            row.resize(answer.columns.size());
        } else if (frame.type == 'E') {
            const wire::Diagnostics told = wire::decode_diagnostics(frame.payload);
            trouble = Trouble{
                .unreachable = told.severity == "FATAL",
                .sqlstate = told.sqlstate,
                .message = told.message,
                .hint = std::string(field_of(frame.payload, 'H'))};
        }
        if (frame.type == 'Z' || (trouble && trouble->unreachable)) {
            return trouble ? Outcome(*std::move(trouble)) : Outcome(std::move(answer));
        }
    }
    return std::nullopt;
}

Outcome ask(const std::string& directory, const std::string& statement, int seconds_max) {
    std::error_code error;
    int why = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        if (!entry.path().filename().string().starts_with(".s.PGSQL.")) {
            continue;
        }
        const Connection connection(entry.path().string(), seconds_max);
        if (connection.connected()) {
            return converse(connection, statement);
        }
        why = connection.error();
    }
    Trouble trouble{
        .unreachable = true,
        .sqlstate = "08001",
        .message = "no veer can be reached in " + directory,
        .hint = "Is it running, and is --data-dir (or [storage] dir of -c FILE) its directory?"};
    if (error || why != 0) {
        const std::string reason =
            why != 0 ? std::generic_category().message(why) : error.message();
        trouble.message += ": " + reason;
    }
    return trouble;
}

}  // namespace veer::proxy::cli
