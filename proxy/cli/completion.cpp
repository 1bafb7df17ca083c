#include "proxy/cli/completion.hpp"

#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace veer::proxy::cli {

namespace {

std::string options_of(const CLI::App& command) {
    std::string words;
    for (const CLI::Option* const option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            words += (words.empty() ? "--" : " --") + name;
        }
    }
    return words;
}

std::string commands_of(const CLI::App& app) {
    std::string words;
    for (const CLI::App* const command : app.get_subcommands({})) {
        words += (words.empty() ? "" : " ") + command->get_name();
    }
    return words;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    std::string script =
        "# source <(veer completion bash); in zsh after autoload -U bashcompinit && bashcompinit\n"
        "_veer() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} words\n"
        "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
        "        COMPREPLY=($(compgen -W '" +
        commands_of(app) + ' ' + options_of(app) +
        "' -- \"$word\"))\n"
        "        return\n"
        "    fi\n"
        "    case ${COMP_WORDS[1]} in\n";
    for (const CLI::App* const command : app.get_subcommands({})) {
        const std::string inner = commands_of(*command);
        script += "        " + command->get_name() + ") words='" + inner +
                  (inner.empty() ? "" : " ") + options_of(*command) + "' ;;\n";
    }
    return script +
           "    esac\n"
           "    case ${COMP_WORDS[COMP_CWORD - 1]} in\n"
           "        -c | --config | --html | --data-dir) COMPREPLY=($(compgen -f -- \"$word\")) "
           ";;\n"
           "        *) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
           "    esac\n"
           "}\n"
           "complete -F _veer veer\n";
}

/// Last, so that it knows all others.
void add_completion_command(CLI::App& app, Flags& /*flags*/, Chosen& chosen) {
    CLI::App* const command =
        app.add_subcommand("completion", "A script that completes veer's commands in a shell");
    command->add_option("SHELL", "bash, which zsh takes as well")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
    command->callback([&app, &chosen] {
        chosen = [&app] {
            std::fputs(bash_completion(app).c_str(), stdout);
            return succeeded;
        };
    });
}

}  // namespace veer::proxy::cli
