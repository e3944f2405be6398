# fish completion for streamcli. Made by `make completions`: not to be edited.

function __streamcli_profiles
    set -l config "$HOME/.config"
    set -q XDG_CONFIG_HOME; and test -n "$XDG_CONFIG_HOME"; and set config "$XDG_CONFIG_HOME"
    set -l file "$config/streamcli/config.toml"
    set -q STREAMCLI_CONFIG; and test -n "$STREAMCLI_CONFIG"; and set file "$STREAMCLI_CONFIG"
    sed -n 's/^[[:blank:]]*\[[[:blank:]]*profiles\."*\([A-Za-z0-9_-]\{1,\}\)"*[[:blank:]]*\].*/@\1/p' $file 2>/dev/null
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
                case -e --execute -f --file --db -n --format --durability
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

complete -c streamcli -f
complete -c streamcli -n __streamcli_in_options -s e -l execute -x -d 'Run a command line; may be given more than once.'
complete -c streamcli -n __streamcli_in_options -s f -l file -r -F -d 'Run the lines of a file; - is standard input.'
complete -c streamcli -n __streamcli_in_options -s x -d 'Take the last word of the command from standard input.'
complete -c streamcli -n __streamcli_in_options -l db -r -F -d 'Keep streams in this file (default: default.db in the user\'s data folder).'
complete -c streamcli -n __streamcli_in_options -l memory -d 'Keep streams in memory, for this run only.'
complete -c streamcli -n __streamcli_in_options -s n -x -a '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15' -d 'Use this database number.'
complete -c streamcli -n __streamcli_in_options -s 2 -d 'Answer as in RESP2 (the default).'
complete -c streamcli -n __streamcli_in_options -s 3 -d 'Answer as in RESP3: maps are maps.'
complete -c streamcli -n __streamcli_in_options -l format -x -a 'tree classic json jsonl csv raw' -d 'How replies are shown (default: tree on a terminal, else raw).'
complete -c streamcli -n __streamcli_in_options -l continue-on-error -d 'Go on after a command that fails.'
complete -c streamcli -n __streamcli_in_options -l durability -x -a 'normal full' -d 'What an acknowledged write survives: the process, or the machine.'
complete -c streamcli -n __streamcli_in_options -l read-only -d 'Refuse commands that write.'
complete -c streamcli -n __streamcli_in_options -s y -l yes -d 'Do not ask before what cannot be undone.'
complete -c streamcli -n __streamcli_in_options -l no-config -d 'Do not read the config file.'
complete -c streamcli -n __streamcli_in_options -l version -d 'Show the version and exit.'
complete -c streamcli -n __streamcli_in_options -l help -d 'Show this message and exit.'
complete -c streamcli -n __streamcli_in_options -a '(__streamcli_profiles)' -d profile
complete -c streamcli -n __streamcli_first -a XADD -d 'Append an entry to a stream, and trim the stream if asked'
complete -c streamcli -n __streamcli_first -a XTRIM -d 'Remove a stream\'s oldest entries'
complete -c streamcli -n __streamcli_first -a XLEN -d 'Count the entries of a stream'
complete -c streamcli -n __streamcli_first -a XDEL -d 'Delete entries by ID'
complete -c streamcli -n __streamcli_first -a XRANGE -d 'Read the entries between two IDs, oldest first'
complete -c streamcli -n __streamcli_first -a XREVRANGE -d 'Read the entries between two IDs, newest first'
complete -c streamcli -n __streamcli_first -a XREAD -d 'Read entries newer than an ID from one or more streams, waiting for them if asked'
complete -c streamcli -n __streamcli_first -a XREADGROUP -d 'Read new entries, or one\'s own pending ones, as a consumer of a group'
complete -c streamcli -n __streamcli_first -a XACK -d 'Mark pending entries as processed'
complete -c streamcli -n __streamcli_first -a XPENDING -d 'Say what a group has delivered and not yet acknowledged'
complete -c streamcli -n __streamcli_first -a XCLAIM -d 'Take over pending entries by ID'
complete -c streamcli -n __streamcli_first -a XAUTOCLAIM -d 'Take over the entries that have been pending for too long'
complete -c streamcli -n __streamcli_first -a XSETID -d 'Set a stream\'s last ID and counters (for replication and repair)'
complete -c streamcli -n __streamcli_first -a XGROUP -d 'Create and change consumer groups'
complete -c streamcli -n __streamcli_first -a XINFO -d 'Look into streams, groups and consumers'
complete -c streamcli -n __streamcli_first -a DEL -d 'Delete keys'
complete -c streamcli -n __streamcli_first -a UNLINK -d 'Delete keys'
complete -c streamcli -n __streamcli_first -a EXISTS -d 'Count which of the keys exist'
complete -c streamcli -n __streamcli_first -a TOUCH -d 'Count which of the keys exist, and mark them as used'
complete -c streamcli -n __streamcli_first -a TYPE -d 'Say what kind of value a key holds'
complete -c streamcli -n __streamcli_first -a TTL -d 'Say in how many seconds a key expires'
complete -c streamcli -n __streamcli_first -a PTTL -d 'Say in how many milliseconds a key expires'
complete -c streamcli -n __streamcli_first -a EXPIRETIME -d 'Say when a key expires, in Unix seconds'
complete -c streamcli -n __streamcli_first -a PEXPIRETIME -d 'Say when a key expires, in Unix milliseconds'
complete -c streamcli -n __streamcli_first -a PERSIST -d 'Keep a key that was to expire'
complete -c streamcli -n __streamcli_first -a EXPIRE -d 'Let a key expire in so many seconds'
complete -c streamcli -n __streamcli_first -a PEXPIRE -d 'Let a key expire in so many milliseconds'
complete -c streamcli -n __streamcli_first -a EXPIREAT -d 'Let a key expire at a Unix time in seconds'
complete -c streamcli -n __streamcli_first -a PEXPIREAT -d 'Let a key expire at a Unix time in milliseconds'
complete -c streamcli -n __streamcli_first -a KEYS -d 'List the keys that match a pattern'
complete -c streamcli -n __streamcli_first -a SCAN -d 'List keys, some at a time'
complete -c streamcli -n __streamcli_first -a RENAME -d 'Give a key another name, replacing what had it'
complete -c streamcli -n __streamcli_first -a RENAMENX -d 'Give a key another name unless that is taken'
complete -c streamcli -n __streamcli_first -a COPY -d 'Copy a key'
complete -c streamcli -n __streamcli_first -a RANDOMKEY -d 'Name any one key'
complete -c streamcli -n __streamcli_first -a OBJECT -d 'Look into how a value is kept'
complete -c streamcli -n __streamcli_first -a SET -d 'Set a string'
complete -c streamcli -n __streamcli_first -a GET -d 'Read a string'
complete -c streamcli -n __streamcli_first -a GETDEL -d 'Read a string and delete it'
complete -c streamcli -n __streamcli_first -a STRLEN -d 'Count the bytes of a string'
complete -c streamcli -n __streamcli_first -a MULTI -d 'Start to collect commands'
complete -c streamcli -n __streamcli_first -a EXEC -d 'Run the collected commands as one'
complete -c streamcli -n __streamcli_first -a DISCARD -d 'Forget the collected commands'
complete -c streamcli -n __streamcli_first -a WATCH -d 'Let EXEC run only if the keys do not change'
complete -c streamcli -n __streamcli_first -a UNWATCH -d 'Watch no key any more'
complete -c streamcli -n __streamcli_first -a PING -d 'Answer PONG, or the message'
complete -c streamcli -n __streamcli_first -a ECHO -d 'Answer the message'
complete -c streamcli -n __streamcli_first -a HELLO -d 'Say who one is and choose the protocol, 2 or 3'
complete -c streamcli -n __streamcli_first -a AUTH -d 'Say who one is'
complete -c streamcli -n __streamcli_first -a SELECT -d 'Use another database'
complete -c streamcli -n __streamcli_first -a RESET -d 'Bring the session back to how it began'
complete -c streamcli -n __streamcli_first -a QUIT -d 'Leave'
complete -c streamcli -n __streamcli_first -a CLIENT -d 'Look at and change the connection'
complete -c streamcli -n __streamcli_first -a DBSIZE -d 'Count the keys of the database'
complete -c streamcli -n __streamcli_first -a FLUSHDB -d 'Delete every key of the database'
complete -c streamcli -n __streamcli_first -a FLUSHALL -d 'Delete every key of every database'
complete -c streamcli -n __streamcli_first -a SWAPDB -d 'Swap two databases'
complete -c streamcli -n __streamcli_first -a INFO -d 'Describe the server'
complete -c streamcli -n __streamcli_first -a TIME -d 'Tell the time'
complete -c streamcli -n __streamcli_first -a COMMAND -d 'Describe the commands'
complete -c streamcli -n __streamcli_first -a CONFIG -d 'Look at and change settings'
complete -c streamcli -n __streamcli_first -a MEMORY -d 'Look at memory'
complete -c streamcli -n __streamcli_first -a DEBUG -d 'Help to test'
complete -c streamcli -n '__streamcli_behind XGROUP' -a CREATE -d 'Create a consumer group'
complete -c streamcli -n '__streamcli_behind XGROUP' -a SETID -d 'Move a group to another place in its stream'
complete -c streamcli -n '__streamcli_behind XGROUP' -a DESTROY -d 'Delete a group with its consumers and pending entries'
complete -c streamcli -n '__streamcli_behind XGROUP' -a CREATECONSUMER -d 'Add a consumer to a group'
complete -c streamcli -n '__streamcli_behind XGROUP' -a DELCONSUMER -d 'Delete a consumer and forget its pending entries'
complete -c streamcli -n '__streamcli_behind XGROUP' -a HELP -d 'List the subcommands of XGROUP'
complete -c streamcli -n '__streamcli_behind XINFO' -a STREAM -d 'Describe a stream; in full, with its entries, groups and consumers'
complete -c streamcli -n '__streamcli_behind XINFO' -a GROUPS -d 'Describe a stream\'s groups'
complete -c streamcli -n '__streamcli_behind XINFO' -a CONSUMERS -d 'Describe a group\'s consumers'
complete -c streamcli -n '__streamcli_behind XINFO' -a HELP -d 'List the subcommands of XINFO'
complete -c streamcli -n '__streamcli_behind OBJECT' -a ENCODING -d 'Name the encoding of a value'
complete -c streamcli -n '__streamcli_behind OBJECT' -a FREQ -d 'Say how often a key is used (under an LFU policy)'
complete -c streamcli -n '__streamcli_behind OBJECT' -a IDLETIME -d 'Say how many seconds a key has not been used'
complete -c streamcli -n '__streamcli_behind OBJECT' -a REFCOUNT -d 'Count the references to a value'
complete -c streamcli -n '__streamcli_behind OBJECT' -a HELP -d 'List the subcommands of OBJECT'
complete -c streamcli -n '__streamcli_behind CLIENT' -a ID -d 'Name the connection\'s number'
complete -c streamcli -n '__streamcli_behind CLIENT' -a INFO -d 'Describe the connection'
complete -c streamcli -n '__streamcli_behind CLIENT' -a LIST -d 'Describe the connections'
complete -c streamcli -n '__streamcli_behind CLIENT' -a SETNAME -d 'Name the connection'
complete -c streamcli -n '__streamcli_behind CLIENT' -a GETNAME -d 'Say what the connection is called'
complete -c streamcli -n '__streamcli_behind CLIENT' -a SETINFO -d 'Say which library the client uses'
complete -c streamcli -n '__streamcli_behind CLIENT' -a NO-EVICT -d 'Keep the connection when memory is short'
complete -c streamcli -n '__streamcli_behind CLIENT' -a NO-TOUCH -d 'Read keys without marking them as used'
complete -c streamcli -n '__streamcli_behind CLIENT' -a HELP -d 'List the subcommands of CLIENT'
complete -c streamcli -n '__streamcli_behind COMMAND' -a COUNT -d 'Count the commands'
complete -c streamcli -n '__streamcli_behind COMMAND' -a LIST -d 'Name the commands'
complete -c streamcli -n '__streamcli_behind COMMAND' -a INFO -d 'Describe commands for programs'
complete -c streamcli -n '__streamcli_behind COMMAND' -a DOCS -d 'Describe commands for people'
complete -c streamcli -n '__streamcli_behind COMMAND' -a GETKEYS -d 'Name the keys of a command line'
complete -c streamcli -n '__streamcli_behind COMMAND' -a HELP -d 'List the subcommands of COMMAND'
complete -c streamcli -n '__streamcli_behind CONFIG' -a GET -d 'Read settings'
complete -c streamcli -n '__streamcli_behind CONFIG' -a SET -d 'Change settings until the process ends'
complete -c streamcli -n '__streamcli_behind CONFIG' -a HELP -d 'List the subcommands of CONFIG'
complete -c streamcli -n '__streamcli_behind MEMORY' -a USAGE -d 'Estimate the bytes that a key takes'
complete -c streamcli -n '__streamcli_behind MEMORY' -a HELP -d 'List the subcommands of MEMORY'
complete -c streamcli -n '__streamcli_behind DEBUG' -a SLEEP -d 'Answer after so many seconds'
