/* `fastest completion bash|zsh|fish`: scripts that ask `fastest complete` (complete.h). */
#include "runtime/cli/commands.h"

#include "runtime/cli/options.h"

#include <stdio.h>
#include <string.h>

/* bash cuts words at ':' and '=', and replaces only what is behind the last one; what it inserts it takes as typed. */
static const char bash[] =
    "# bash completion of fastest: eval \"$(fastest completion bash)\"\n"
    "_fastest() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words current cut reply\n"
    "    read -a words <<<\"$line\" 2>/dev/null\n"
    "    [[ $line == *[[:space:]] ]] && words+=(\"\")\n"
    "    current=${words[${#words[@]} - 1]}\n"
    "    cut=${current%\"${current##*[:=]}\"}\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r reply; do\n"
    "        case $reply in\n"
    "        :files) compopt -o filenames; COMPREPLY+=($(IFS=$'\\n' compgen -f -- \"${current#\"$cut\"}\")) ;;\n"
    "        :dirs) compopt -o filenames; COMPREPLY+=($(IFS=$'\\n' compgen -d -- \"${current#\"$cut\"}\")) ;;\n"
    "        *) reply=${reply%%$'\\t'*}; COMPREPLY+=(\"$(printf %q \"${reply#\"$cut\"}\")\") ;;\n"
    "        esac\n"
    "    done < <(\"${words[0]}\" complete \"${words[@]:1}\" 2>/dev/null)\n"
    "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
    "    return 0\n"
    "}\n"
    "complete -F _fastest fastest\n";

static const char zsh[] =
    "#compdef fastest\n"
    "# zsh completion of fastest: eval \"$(fastest completion zsh)\"\n"
    "_fastest() {\n"
    "    local line value files dirs\n"
    "    local -a values shown\n"
    "    for line in \"${(@f)$(\"${(Q)words[1]}\" complete \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
    "        case $line in\n"
    "        ('') ;;\n"
    "        (:files) files=1 ;;\n"
    "        (:dirs) dirs=1 ;;\n"
    "        (*)\n"
    "            value=${line%%$'\\t'*}\n"
    "            values+=(\"$value\")\n"
    "            if [[ $line == *$'\\t'* ]]; then shown+=(\"$value  -- ${line#*$'\\t'}\"); else shown+=(\"$value\"); fi ;;\n"
    "        esac\n"
    "    done\n"
    "    (( ${#values} )) && compadd -l -d shown -a values\n"
    "    [[ -n $files ]] && _files\n"
    "    [[ -n $dirs ]] && _files -/\n"
    "    return 0\n"
    "}\n"
    "if [[ $funcstack[1] == _fastest ]]; then _fastest \"$@\"; else compdef _fastest fastest; fi\n";

static const char fish[] =
    "# fish completion of fastest: fastest completion fish | source\n"
    "function __fastest_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    for line in ($words[1] complete $words[2..] (string unescape -- $current; or echo -- $current) 2>/dev/null)\n"
    "        switch $line\n"
    "            case :files\n"
    "                __fish_complete_path $current\n"
    "            case :dirs\n"
    "                __fish_complete_directories $current\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c fastest -f -a '(__fastest_complete)'\n";

bool command_completion(struct cli *c, enum exit_code *code, struct err *err)
{
    const char *shell = c->n_items ? c->items[0] : NULL;
    if (!shell)
        return err_set(err, "completion: a word is missing: bash, zsh or fish");
    fputs(strcmp(shell, "bash") == 0 ? bash : strcmp(shell, "zsh") == 0 ? zsh : fish, stdout);
    *code = EXIT_PASSED;
    return true;
}
