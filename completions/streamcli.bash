# bash completion for streamcli. Made by `make completions`: not to be edited.

_streamcli_profiles() {
    sed -n 's/^[[:blank:]]*\[[[:blank:]]*profiles\."*\([A-Za-z0-9_-]\{1,\}\)"*[[:blank:]]*\].*/@\1/p' \
        "${STREAMCLI_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/streamcli/config.toml}" 2>/dev/null
}

# Puts the values of an option ($1) that begin with $2 into the list.
_streamcli_value() {
    case $1 in
    -f | --file | --db | -s | --socket | --cacert | --cert | --key | --unixsocket)
        compopt -o filenames 2>/dev/null # bash 3.2 has none
        list=$(compgen -f -- "$2")
        ;;
    --durability) list=$(compgen -W "normal full" -- "$2") ;;
    --read-from) list=$(compgen -W "primary replica" -- "$2") ;;
    -n) list=$(compgen -W "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15" -- "$2") ;;
    --format) list=$(compgen -W "tree classic json jsonl csv raw md" -- "$2") ;;
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
    HELP) echo "streams ids reading blocking groups pending claiming trimming lag idempotency servers serve cluster patterns kafka python shell @stream @generic @string @transactions @connection @server xadd xtrim xlen xdel xdelex xrange xrevrange xread xreadgroup xack xackdel xnack xpending xclaim xautoclaim xsetid xcfgset xidmprecord xgroup xinfo del unlink exists touch type ttl pttl expiretime pexpiretime persist expire pexpire expireat pexpireat keys scan rename renamenx copy randomkey dump restore object set get getdel strlen multi exec discard watch unwatch ping echo hello auth select reset quit client dbsize flushdb flushall swapdb info time command config monitor shutdown memory debug" ;;
    EXPLAIN) echo "XADD XTRIM XLEN XDEL XDELEX XRANGE XREVRANGE XREAD XREADGROUP XACK XACKDEL XNACK XPENDING XCLAIM XAUTOCLAIM XSETID XCFGSET XIDMPRECORD XGROUP XINFO DEL UNLINK EXISTS TOUCH TYPE TTL PTTL EXPIRETIME PEXPIRETIME PERSIST EXPIRE PEXPIRE EXPIREAT PEXPIREAT KEYS SCAN RENAME RENAMENX COPY RANDOMKEY DUMP RESTORE OBJECT SET GET GETDEL STRLEN MULTI EXEC DISCARD WATCH UNWATCH PING ECHO HELLO AUTH SELECT RESET QUIT CLIENT DBSIZE FLUSHDB FLUSHALL SWAPDB INFO TIME COMMAND CONFIG MONITOR SHUTDOWN MEMORY DEBUG" ;;
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
    if [[ ${#plain[@]} -gt 0 && $(tr '[:lower:]' '[:upper:]' <<<"${plain[0]}") == SERVE ]]; then
        case $last in
        --host | --port | --unixsocket | --db | --durability | --password | --maxclients) _streamcli_value "$last" "$current" ;;
        *) list=$(compgen -W "--host --port --unixsocket --db --memory --durability --password --askpass --maxclients --help" -- "$current") ;;
        esac
    elif [[ -n $option ]]; then
        _streamcli_value "$option" "$current"
    elif [[ -z $ended && ${#plain[@]} -eq 0 && $current == --*=* ]]; then
        current=${joined#*=}
        head=${joined%"$current"}
        _streamcli_value "${joined%%=*}" "$current"
        [[ ${COMP_WORDS[COMP_CWORD]} == --*=* ]] && list=${list:+$head${list//$'\n'/$'\n'$head}} head=""
    elif [[ -z $ended && ${#plain[@]} -eq 0 && $current == -* ]]; then
        list=$(compgen -W "-e --execute -f --file -x --continue-on-error --read-only -y --yes --db --memory --durability -u --url -h --host -p --port -s --socket -c --cluster --sentinel --master --read-from --connect-timeout --timeout --user -a --pass --askpass --sentinel-user --sentinel-pass --tls --cacert --cert --key --sni --insecure -n -2 -3 --format --no-config --version --help" -- "$current")
    elif [[ ${#plain[@]} -le 1 ]]; then
        if [[ ${#plain[@]} -eq 1 ]]; then
            list=$(_streamcli_subcommands "$(tr '[:lower:]' '[:upper:]' <<<"${plain[0]}")")
        else
            list="help explain serve XADD XTRIM XLEN XDEL XDELEX XRANGE XREVRANGE XREAD XREADGROUP XACK XACKDEL XNACK XPENDING XCLAIM XAUTOCLAIM XSETID XCFGSET XIDMPRECORD XGROUP XINFO DEL UNLINK EXISTS TOUCH TYPE TTL PTTL EXPIRETIME PEXPIRETIME PERSIST EXPIRE PEXPIRE EXPIREAT PEXPIREAT KEYS SCAN RENAME RENAMENX COPY RANDOMKEY DUMP RESTORE OBJECT SET GET GETDEL STRLEN MULTI EXEC DISCARD WATCH UNWATCH PING ECHO HELLO AUTH SELECT RESET QUIT CLIENT DBSIZE FLUSHDB FLUSHALL SWAPDB INFO TIME COMMAND CONFIG MONITOR SHUTDOWN MEMORY DEBUG"
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
