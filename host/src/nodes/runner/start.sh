# Starts one command and waits for it. Its record: STEP.pid, .out, .err, .exit in BASE/RUN. It is claimed by making
# STEP.pid, which this shell holds open as descriptor 9 while the command lives: that is how others see that it does.
# this-text base run step cwd creates unless input-bytes cap days command
run=$2/$3 d=$2/$3/$4 cwd=$5 creates=$6 unless=$7 bytes=$8 cap=$9

say() {
	printf '\036LT1 %s %s\036' "$1" "${2:-0}"
	exit 0
}

[ ! -e "$d.pid" ] || say claimed
# `stop` ends a process group, so it must be one: nearly every SSH server sees to that.
# (`kill -0 -N` is the one form that dash, bash and busybox all take.)
kill -0 "-$$" 2>/dev/null || [ "$0" = led ] || exec setsid sh -c "$1" led "$@"
shift 9
days=$1 command=$2
cd "$cwd" || say broken
[ -z "$creates" ] || [ ! -e "$creates" ] || say skipped creates
if [ -n "$unless" ] && (eval "$unless") </dev/null >/dev/null 2>&1; then say skipped unless; fi
if [ ! -d "$run" ]; then
	(umask 077; mkdir -p "$run") || say broken
	# The first command of a run clears away the runs of long ago.
	find "${run%/*}" -mindepth 1 -maxdepth 1 -type d -mtime "+$days" -exec rm -rf -- {} + </dev/null >/dev/null 2>&1 &
fi
in=/dev/null env=
if [ -n "$bytes" ]; then
	# All of it first: a connection that breaks halfway must not start the command with half its input.
	IFS= read -r env || say broken
	if [ "$bytes" -gt 0 ]; then
		in=$d.$$
		(umask 077; exec cat >"$in") && [ "$(($(wc -c <"$in")))" -eq "$bytes" ] || { rm -f "$in"; say broken; }
	fi
fi
# Survives what stops the command and a connection that is gone, to record how it ended; the command itself has the
# default again.
cut=
trap cut=1 TERM INT HUP
trap : PIPE
set -C
if ! { true >"$d.pid"; } 2>/dev/null; then
	[ "$in" = /dev/null ] || rm -f "$in"
	[ ! -e "$d.pid" ] || say claimed
	true >"$d.pid" || say broken
fi
set +C
exec 9>"$d.pid"
echo "$$" >&9 || { rm -f "$d.pid"; say broken; }
# A shell says on its own standard error which signal ended a command. (The group needs a second command: dash takes
# the redirections of a group for those of a subshell that is all of it.)
{
	(
		exec 9>&-
		[ "$in" = /dev/null ] || rm -f "$in"
		nl='
'
		set --
		eval "$env"
		eval "$command"
	) <"$in" >"$d.out" 2>"$d.err"
	code=$?
} 2>/dev/null
if [ -n "$cut" ] && [ ! -e "$d.stop" ]; then
	# Nobody of us did that: if the machine boots again now, this was its shutdown. Who looks at the record sees to it.
	read -r boot </proc/sys/kernel/random/boot_id
	read -r s </proc/1/stat
	s=${s##*) }
	set -- $s
	echo "$code $boot.${20}" >"$d.exit"
	say claimed
fi
echo "$code" >"$d.exit" || say claimed
[ ! -s "$d.out" ] || head -c "$cap" "$d.out"
[ ! -s "$d.err" ] || head -c "$cap" "$d.err" >&2
say exited "$code"
