# bash completion for streamcli. Made by `make completions`: not to be edited.

_streamcli_profiles() {
    sed -n 's/^[[:blank:]]*\[[[:blank:]]*profiles\."*\([A-Za-z0-9_-]\{1,\}\)"*[[:blank:]]*\].*/@\1/p' \
        "${STREAMCLI_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/streamcli/config.toml}" 2>/dev/null
}

# Puts the values of an option ($1) that begin with $2 into the list.
_streamcli_value() {
    case $1 in
    "IMPORT" | "CLONE" | -f | --file | --db | -s | --socket | --cacert | --cert | --key | "SERVE --unixsocket" | "SERVE --db" | "EXPORT -o" | "EXPORT --output")
        compopt -o filenames 2>/dev/null # bash 3.2 has none
        list=$(compgen -f -- "$2")
        ;;
    --durability | "SERVE --durability") list=$(compgen -W "normal full" -- "$2") ;;
    --read-from) list=$(compgen -W "primary replica" -- "$2") ;;
    -n) list=$(compgen -W "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15" -- "$2") ;;
    --format) list=$(compgen -W "tree classic json jsonl csv table raw md" -- "$2") ;;
    "STREAMS --sort") list=$(compgen -W "name length first last rate memory groups lag" -- "$2") ;;
    "GROUPS --sort") list=$(compgen -W "name lag pending oldest consumers delivered" -- "$2") ;;
    "TOP --view") list=$(compgen -W "streams groups" -- "$2") ;;
    "PENDING --mode") list=$(compgen -W "fail silent fatal" -- "$2") ;;
    "EXPORT --format" | "IMPORT --format") list=$(compgen -W "jsonl json csv" -- "$2") ;;
    "CLONE --verify") list=$(compgen -W "full quick" -- "$2") ;;
    "GENERATE --shape") list=$(compgen -W "orders sensors clicks logs" -- "$2") ;;
    esac
}

_streamcli_subcommands() {
    case $1 in
    XGROUP) echo "CREATE SETID DESTROY CREATECONSUMER DELCONSUMER HELP" ;;
    XINFO) echo "STREAM GROUPS CONSUMERS HELP" ;;
    OBJECT) echo "ENCODING FREQ IDLETIME REFCOUNT HELP" ;;
    CLIENT) echo "ID INFO LIST SETNAME GETNAME SETINFO NO-EVICT NO-TOUCH KILL UNBLOCK REPLY HELP" ;;
    COMMAND) echo "COUNT LIST INFO DOCS GETKEYS HELP" ;;
    CONFIG) echo "GET SET RESETSTAT HELP" ;;
    MEMORY) echo "USAGE HELP" ;;
    DEBUG) echo "SLEEP" ;;
    HELP) echo "streams ids reading blocking groups pending claiming recovery trimming lag idempotency servers serve cluster patterns kafka python tools tail export clone replay shell @stream @generic @string @transactions @connection @server xadd xtrim xlen xdel xdelex xrange xrevrange xread xreadgroup xack xackdel xnack xpending xclaim xautoclaim xsetid xcfgset xidmprecord xgroup xinfo del unlink exists touch type ttl pttl expiretime pexpiretime persist expire pexpire expireat pexpireat keys scan rename renamenx copy move randomkey dump restore object set get getdel strlen multi exec discard watch unwatch ping echo hello auth select reset quit client dbsize flushdb flushall swapdb info time command config monitor shutdown memory debug" ;;
    EXPLAIN) echo "XADD XTRIM XLEN XDEL XDELEX XRANGE XREVRANGE XREAD XREADGROUP XACK XACKDEL XNACK XPENDING XCLAIM XAUTOCLAIM XSETID XCFGSET XIDMPRECORD XGROUP XINFO DEL UNLINK EXISTS TOUCH TYPE TTL PTTL EXPIRETIME PEXPIRETIME PERSIST EXPIRE PEXPIRE EXPIREAT PEXPIREAT KEYS SCAN RENAME RENAMENX COPY MOVE RANDOMKEY DUMP RESTORE OBJECT SET GET GETDEL STRLEN MULTI EXEC DISCARD WATCH UNWATCH PING ECHO HELLO AUTH SELECT RESET QUIT CLIENT DBSIZE FLUSHDB FLUSHALL SWAPDB INFO TIME COMMAND CONFIG MONITOR SHUTDOWN MEMORY DEBUG" ;;
    esac
}

# The options of a verb ($1, in capitals) that has its own.
_streamcli_options() {
    case $1 in
    SERVE) echo "--host --port --unixsocket --db --memory --durability --password --askpass --maxclients --help" ;;
    TAIL) echo "--from --until -n --limit --count --no-follow --where --fields --template --group --consumer --ack --json --help" ;;
    STREAMS) echo "--sort --reverse --limit --json --help" ;;
    GROUPS) echo "--sort --reverse --limit --json --help" ;;
    TOP) echo "--interval --view --once --json --help" ;;
    PENDING) echo "--consumer --idle --deliveries --from --until -n --limit --all --no-payload --browse --to --mode --reason --not-atomic --dry-run --json --help" ;;
    EXPORT) echo "--from --until -o --output --groups --all --plain --format --json --help" ;;
    IMPORT) echo "--to --new-ids --append --groups --all --format --id --time --from-line --again --batch --dry-run --json --help" ;;
    CLONE) echo "--match --rename --prefix --replace --update --no-groups --verify --follow --every --dry-run --json --help" ;;
    REPLAY) echo "--to --at --speed --max-gap --from --until --keep-ids --again --dry-run --json --help" ;;
    TRIM) echo "--older-than --before --acked --dry-run --json --help" ;;
    RATE) echo "--from --until --every --by --limit --most --all --json --help" ;;
    ID) echo "--json --help" ;;
    GENERATE) echo "--shape -n --limit --count --span --live --rate --groups --seed --dry-run --json --help" ;;
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
            -e | --execute | -f | --file | --db | --durability | -u | --url | -h | --host | -p | --port | -s | --socket | --sentinel | --master | --read-from | --connect-timeout | --timeout | --user | -a | --pass | --sentinel-user | --sentinel-pass | --cacert | --cert | --key | --sni | -n | --format) option=$word ;;
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
        "SERVE --host" | "SERVE --port" | "SERVE --unixsocket" | "SERVE --db" | "SERVE --durability" | "SERVE --password" | "SERVE --maxclients" | "TAIL --from" | "TAIL --until" | "TAIL -n" | "TAIL --limit" | "TAIL --count" | "TAIL --where" | "TAIL --fields" | "TAIL --template" | "TAIL --group" | "TAIL --consumer" | "STREAMS --sort" | "STREAMS --limit" | "GROUPS --sort" | "GROUPS --limit" | "TOP --interval" | "TOP --view" | "PENDING --consumer" | "PENDING --idle" | "PENDING --deliveries" | "PENDING --from" | "PENDING --until" | "PENDING -n" | "PENDING --limit" | "PENDING --to" | "PENDING --mode" | "PENDING --reason" | "EXPORT --from" | "EXPORT --until" | "EXPORT -o" | "EXPORT --output" | "EXPORT --format" | "IMPORT --to" | "IMPORT --format" | "IMPORT --id" | "IMPORT --time" | "IMPORT --from-line" | "IMPORT --batch" | "CLONE --match" | "CLONE --rename" | "CLONE --prefix" | "CLONE --verify" | "CLONE --every" | "REPLAY --to" | "REPLAY --at" | "REPLAY --speed" | "REPLAY --max-gap" | "REPLAY --from" | "REPLAY --until" | "TRIM --older-than" | "TRIM --before" | "RATE --from" | "RATE --until" | "RATE --every" | "RATE --by" | "RATE --limit" | "RATE --most" | "GENERATE --shape" | "GENERATE -n" | "GENERATE --limit" | "GENERATE --count" | "GENERATE --span" | "GENERATE --rate" | "GENERATE --seed") _streamcli_value "$verb $last" "$current" ;;
        *)
            case "$verb $current" in
            "IMPORT "[!-]* | "IMPORT " | "CLONE "[!-]* | "CLONE ") _streamcli_value "$verb" "$current" ;;
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
        list=$(compgen -W "-e --execute -f --file -x --continue-on-error --read-only -y --yes --db --memory --durability -u --url -h --host -p --port -s --socket -c --cluster --sentinel --master --read-from --connect-timeout --timeout --user -a --pass --askpass --sentinel-user --sentinel-pass --tls --cacert --cert --key --sni --insecure -n -2 -3 --format --json --no-config --version --help" -- "$current")
    elif [[ ${#plain[@]} -le 1 ]]; then
        if [[ ${#plain[@]} -eq 1 ]]; then
            list=$(_streamcli_subcommands "$(tr '[:lower:]' '[:upper:]' <<<"${plain[0]}")")
        else
            list="tail streams groups top pending export import clone replay trim rate id generate help explain serve XADD XTRIM XLEN XDEL XDELEX XRANGE XREVRANGE XREAD XREADGROUP XACK XACKDEL XNACK XPENDING XCLAIM XAUTOCLAIM XSETID XCFGSET XIDMPRECORD XGROUP XINFO DEL UNLINK EXISTS TOUCH TYPE TTL PTTL EXPIRETIME PEXPIRETIME PERSIST EXPIRE PEXPIRE EXPIREAT PEXPIREAT KEYS SCAN RENAME RENAMENX COPY MOVE RANDOMKEY DUMP RESTORE OBJECT SET GET GETDEL STRLEN MULTI EXEC DISCARD WATCH UNWATCH PING ECHO HELLO AUTH SELECT RESET QUIT CLIENT DBSIZE FLUSHDB FLUSHALL SWAPDB INFO TIME COMMAND CONFIG MONITOR SHUTDOWN MEMORY DEBUG"
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
