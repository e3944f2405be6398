"""The completion files of bash, zsh and fish, made from the command line's options and the table of commands.

`python -m streamcli.completions [FOLDER]` writes them (`make completions`); a
test fails while they are not what this makes. The shells ask nothing of the
program itself: a profile's name they find in the config file. Nothing imports
this at a start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from streamcli.docs.overview import TOPICS
from streamcli.flags import Flag
from streamcli.grammar.commands import BY_WORD, COMMANDS
from streamcli.serving import FLAGS as SERVE
from streamcli.settings import OPTIONS, VERBS
from streamcli.tools import TOOLS, tool

ALSO = (  # click's own
    Flag(("--version",), "version", "Show the version and exit."),
    Flag(("--help",), "help", "Show this message and exit."),
)
_FILE = "FILE"
_MADE = "Made by `make completions`: not to be edited."
_SED = r"""sed -n 's/^[[:blank:]]*\[[[:blank:]]*profiles\."*\([A-Za-z0-9_-]\{1,\}\)"*[[:blank:]]*\].*/@\1/p'"""


def flags() -> tuple[Flag, ...]:
    """Every option there is."""
    return (*OPTIONS, *ALSO)


def behind() -> dict[str, tuple[Flag, ...]]:
    """The options of the verbs that have their own, which are given in capitals."""
    tools = {name.upper(): tool(name).own_flags for name in TOOLS}
    return {verb: (*own, ALSO[-1]) for verb, own in {"SERVE": SERVE, **tools}.items()}


def _takes_files() -> list[str]:
    """The verbs, in capitals, whose words may be names of files."""
    return [name.upper() for name in TOOLS if {"file", "target"}.intersection(tool(name).roles)]


def first_words() -> list[tuple[str, str]]:
    """What a command line may begin with, and what it does."""
    return [*VERBS, *((command.name, command.summary) for command in BY_WORD.values())]


def second_words() -> dict[str, list[tuple[str, str]]]:
    """What may follow a first word, which is given in capitals: subcommands, and the help's pages."""
    commands = [(command.name, command.summary) for command in BY_WORD.values()]
    topics = [(name, "a topic of the help") for name in TOPICS]
    groups = dict.fromkeys(f"@{command.group}" for command in COMMANDS.values())
    return {
        **{
            container.name: [(sub.name.split()[1], sub.summary) for sub in container.subcommands.values()]
            for container in BY_WORD.values()
            if container.subcommands
        },
        "HELP": [
            *topics,
            *((group, "the commands of a group") for group in groups),
            *((name.lower(), help) for name, help in commands),
        ],
        "EXPLAIN": commands,
    }


def _values(flag: Flag) -> list[str]:
    """What may follow an option, if that can be listed."""
    numbers = range(16) if flag.key == "number" else ()  # what a server has when nobody has set it up otherwise
    return [*flag.choices, *map(str, numbers)]


def _filled(template: str, **blanks: str) -> str:
    for name, text in blanks.items():
        template = template.replace(f"<{name}>", text)
    return template


def _quoted(text: str) -> str:
    """A word for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


# -- bash -------------------------------------------------------------------------------------

_BASH = r"""# bash completion for streamcli. <made>

_streamcli_profiles() {
    <sed> \
        "${STREAMCLI_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/streamcli/config.toml}" 2>/dev/null
}

# Puts the values of an option ($1) that begin with $2 into the list.
_streamcli_value() {
    case $1 in
    <files>)
        compopt -o filenames 2>/dev/null # bash 3.2 has none
        list=$(compgen -f -- "$2")
        ;;
<values>
    esac
}

_streamcli_subcommands() {
    case $1 in
<subcommands>
    esac
}

# The options of a verb ($1, in capitals) that has its own.
_streamcli_options() {
    case $1 in
<verb-options>
    esac
}

_streamcli() {
    local piece joined="" glue="" option="" ended="" words=() plain=() i
    # bash cuts words at = and @; here they are put together again.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if [[ -n $glue ]]; then
            joined+=$piece glue=""
        elif [[ $piece == "=" && $joined == --* ]]; then
            joined+="=" glue=1
        else
            ((i > 1)) && words+=("$joined")
            joined=$piece
            [[ $piece == "@" && $COMP_WORDBREAKS == *@* ]] && glue=1
        fi
    done
    local head=${joined%"$piece"} word
    [[ -n $glue ]] && head=$joined
    [[ $head == "@" ]] && shopt -q hostcomplete && head="" # bash replaces an @ that could begin a host, too

    for word in ${words[@]+"${words[@]}"}; do
        if [[ -n $option ]]; then
            option=""
        elif [[ -z $ended && ${#plain[@]} -eq 0 && $word == -?* ]]; then
            case $word in
            --) ended=1 ;;
            <taking>) option=$word ;;
            esac
        elif [[ $word != @?* || ${#plain[@]} -gt 0 ]]; then
            plain+=("$word")
        else
            ended=1 # a profile: the options are over
        fi
    done

    local list="" current=$joined last=""
    [[ ${#words[@]} -gt 0 ]] && last=${words[${#words[@]} - 1]}
    local verb=""
    [[ ${#plain[@]} -gt 0 ]] && verb=$(tr '[:lower:]' '[:upper:]' <<<"${plain[0]}")
    local own
    own=$(_streamcli_options "$verb")
    if [[ -n $own ]]; then
        case "$verb $last" in
        <verb-taking>) _streamcli_value "$verb $last" "$current" ;;
        *)
            case "$verb $current" in
            <file-verbs>) _streamcli_value "$verb" "$current" ;;
            *) list=$(compgen -W "$own" -- "$current") ;;
            esac
            ;;
        esac
    elif [[ -n $option ]]; then
        _streamcli_value "$option" "$current"
    elif [[ -z $ended && ${#plain[@]} -eq 0 && $current == --*=* ]]; then
        current=${joined#*=}
        head=${joined%"$current"}
        _streamcli_value "${joined%%=*}" "$current"
        [[ ${COMP_WORDS[COMP_CWORD]} == --*=* ]] && list=${list:+$head${list//$'\n'/$'\n'$head}} head=""
    elif [[ -z $ended && ${#plain[@]} -eq 0 && $current == -* ]]; then
        list=$(compgen -W "<options>" -- "$current")
    elif [[ ${#plain[@]} -le 1 ]]; then
        if [[ ${#plain[@]} -eq 1 ]]; then
            list=$(_streamcli_subcommands "$(tr '[:lower:]' '[:upper:]' <<<"${plain[0]}")")
        else
            list="<commands>"
        fi
        # Redis takes commands in either case: the one that was begun goes on.
        [[ $current == [[:lower:]]* ]] && list=$(tr '[:upper:]' '[:lower:]' <<<"$list")
        [[ ${#plain[@]} -eq 0 && -z $ended ]] && list+=" $(_streamcli_profiles)"
        list=$(compgen -W "$list" -- "$current")
    fi

    COMPREPLY=()
    while IFS= read -r word; do
        [[ -n $word ]] && COMPREPLY+=("${word#"$head"}")
    done <<<"$list"
}

complete -F _streamcli streamcli
"""


def bash() -> str:
    """The file for bash, from 3.2 on (macOS has no newer one)."""
    values: dict[str, list[str]] = {}  # by what is offered: patterns of what it is offered behind
    files = [f'"{verb}"' for verb in _takes_files()]
    taking = [name for flag in flags() if flag.value is not None for name in flag.names]
    verb_taking = [f'"{verb} {name}"' for verb, name, _ in _taking_behind()]
    named = [(name, flag) for flag in flags() if flag.value is not None for name in flag.names]
    for pattern, flag in (*named, *((f'"{verb} {name}"', flag) for verb, name, flag in _taking_behind())):
        listed = " ".join(_values(flag))
        if flag.value == _FILE:
            files.append(pattern)
        elif listed:
            values.setdefault(listed, []).append(pattern)
    return _filled(
        _BASH,
        made=_MADE,
        sed=_SED,
        values="\n".join(
            f'    {" | ".join(patterns)}) list=$(compgen -W "{listed}" -- "$2") ;;'
            for listed, patterns in values.items()
        ),
        files=" | ".join(files),
        subcommands="\n".join(
            f'    {first}) echo "{" ".join(name for name, _ in words)}" ;;' for first, words in second_words().items()
        ),
        taking=" | ".join(taking),
        options=" ".join(name for flag in flags() for name in flag.names),
        commands=" ".join(name for name, _ in first_words()),
        **{
            "verb-taking": " | ".join(verb_taking),
            "verb-options": "\n".join(
                f'    {verb}) echo "{" ".join(name for flag in own for name in flag.names)}" ;;'
                for verb, own in behind().items()
            ),
            "file-verbs": " | ".join(f'"{verb} "[!-]* | "{verb} "' for verb in _takes_files()) or "-",
        },
    )


def _taking_behind() -> list[tuple[str, str, Flag]]:
    """The verbs' options that take a value, by all their names."""
    return [
        (verb, name, flag) for verb, own in behind().items() for flag in own if flag.value is not None
        for name in flag.names
    ]  # fmt: skip


# -- zsh --------------------------------------------------------------------------------------------

_ZSH = r"""#compdef streamcli
# zsh completion for streamcli. <made>

_streamcli_first() {
    local -a commands profiles
    commands=(
<commands>
    )
    if [[ $1 == all ]]; then
        profiles=(${(f)"$(<sed> \
            "${STREAMCLI_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/streamcli/config.toml}" 2>/dev/null)"})
        (( $#profiles )) && compadd -X profile -a profiles
    fi
    _describe -t commands command commands -M 'm:{a-z}={A-Z}'
}

_streamcli_words() {
    local -a subcommands
    local which=all
    if [[ $words[1] == @?* ]] && (( CURRENT > 1 )); then
        shift words
        (( CURRENT-- ))
        which=commands
    fi
    if (( CURRENT == 1 )); then
        _streamcli_first $which
    elif [[ ${(U)words[1]} == (<verbs>) ]]; then
        case ${(U)words[1]} in
<verb-options>
        esac
    elif (( CURRENT == 2 )); then
        case ${(U)words[1]} in
<subcommands>
        esac
        (( $#subcommands )) && _describe -t commands subcommand subcommands -M 'm:{a-z}={A-Z}'
    fi
}

_streamcli() {
    _arguments -s -S -A '-*' \
<options> \
        '*:: :_streamcli_words'
}

if [[ $funcstack[1] == _streamcli ]]; then
    _streamcli "$@"
else
    compdef _streamcli streamcli
fi
"""


def _described(words: Iterable[tuple[str, str]], indent: str) -> str:
    """Lines of `name:what it is`, as zsh's _describe reads them."""
    return "\n".join(indent + _quoted(f"{name}:{help}") for name, help in words)


def _zsh_specs(flag: Flag) -> list[str]:
    """What _arguments reads: one for each name; each shuts out the others, except when it may repeat."""
    help = flag.help.replace("[", "\\[").replace("]", "\\]")
    takes = ""
    if flag.value is not None:
        listed = " ".join(_values(flag))
        takes = f":{flag.value.lower()}:" + ("_files" if flag.value == _FILE else f"({listed})" if listed else " ")
    before = "*" if flag.repeats else f"({' '.join(flag.names)})"
    specs = []
    for name in flag.names:
        attached = "" if flag.value is None else "=" if name.startswith("--") else "+"
        specs.append(_quoted(f"{before}{name}{attached}[{help}]{takes}"))
    return specs


def zsh() -> str:
    """The file for zsh."""
    subcommands = [
        f"        {first})\n            subcommands=(\n{_described(words, ' ' * 16)}\n            )\n            ;;"
        for first, words in second_words().items()
    ]
    return _filled(
        _ZSH,
        made=_MADE,
        sed=_SED,
        commands=_described(first_words(), " " * 8),
        subcommands="\n".join(subcommands),
        options=" \\\n".join(f"        {spec}" for flag in flags() for spec in _zsh_specs(flag)),
        verbs="|".join(behind()),
        **{"verb-options": "\n".join(_zsh_verb(verb, own) for verb, own in behind().items())},
    )


def _zsh_verb(verb: str, own: tuple[Flag, ...]) -> str:
    specs = [spec for flag in own for spec in _zsh_specs(flag)]
    specs.append(_quoted("*:file:_files" if verb in _takes_files() else "*: : "))
    lines = " \\\n".join(f"                {spec}" for spec in specs)
    return f"        {verb})\n            _arguments -s -S \\\n{lines}\n            ;;"


# -- fish -----------------------------------------------------------------------------------------------

_FISH = r"""# fish completion for streamcli. <made>

function __streamcli_profiles
    set -l config "$HOME/.config"
    set -q XDG_CONFIG_HOME; and test -n "$XDG_CONFIG_HOME"; and set config "$XDG_CONFIG_HOME"
    set -l file "$config/streamcli/config.toml"
    set -q STREAMCLI_CONFIG; and test -n "$STREAMCLI_CONFIG"; and set file "$STREAMCLI_CONFIG"
    <sed> $file 2>/dev/null
end

# The words typed so far that are no options, a profile as `@`.
function __streamcli_words
    set -l takes_value no
    set -l in_options yes
    for word in (commandline -opc)[2..-1]
        if test $takes_value = yes
            set takes_value no
        else if test $in_options = yes; and string match -q -- '-?*' $word
            switch $word
                case --
                    set in_options no
                case <taking>
                    set takes_value yes
            end
        else if test $in_options = yes; and string match -q -- '@?*' $word
            set in_options no
            echo @
        else
            set in_options no
            string upper -- $word
        end
    end
end

function __streamcli_in_options
    test (count (__streamcli_words)) -eq 0
end

function __streamcli_first
    test (__streamcli_words | string match -v @ | count) -eq 0
end

function __streamcli_behind
    set -l typed (__streamcli_words | string match -v @)
    test "$typed" = $argv[1]
end

function __streamcli_verb
    set -l typed (__streamcli_words | string match -v @)
    test "$typed[1]" = $argv[1]
end

complete -c streamcli -f
<options>
<verb-options>
complete -c streamcli -n __streamcli_in_options -a '(__streamcli_profiles)' -d profile
<commands>
<subcommands>
"""


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_option(flag: Flag, condition: str = "__streamcli_in_options") -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names)
    takes = ""
    if flag.value == _FILE:
        takes = " -r -F"
    elif flag.value is not None:
        listed = " ".join(_values(flag))
        takes = f" -x -a {_fish_quoted(listed)}" if listed else " -x"
    return f"complete -c streamcli -n {condition} {names}{takes} -d {_fish_quoted(flag.help)}"


def _fish_words(words: Iterable[tuple[str, str]], condition: str) -> str:
    return "\n".join(f"complete -c streamcli -n {condition} -a {name} -d {_fish_quoted(help)}" for name, help in words)


def _fish_verbs() -> Iterable[str]:
    for verb, own in behind().items():
        condition = f"'__streamcli_verb {verb}'"
        yield from (_fish_option(flag, condition) for flag in own)
        if verb in _takes_files():
            yield f"complete -c streamcli -n {condition} -F"


def fish() -> str:
    """The file for fish, from 3.1 on."""
    return _filled(
        _FISH,
        made=_MADE,
        sed=_SED,
        taking=" ".join(name for flag in flags() if flag.value is not None for name in flag.names),
        options="\n".join(map(_fish_option, flags())),
        **{"verb-options": "\n".join([*_fish_verbs()])},
        commands=_fish_words(first_words(), "__streamcli_first"),
        subcommands="\n".join(
            _fish_words(words, f"'__streamcli_behind {first}'") for first, words in second_words().items()
        ),
    )


FILES = {"streamcli.bash": bash, "_streamcli": zsh, "streamcli.fish": fish}


def main(folder: str) -> None:
    """Write the three files."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (Path(folder) / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "completions")
