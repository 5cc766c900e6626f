# Keeps one command's record in BASE/RUN/STEP: pid, out, err, exit. Ends with a trailer that says the state.
# mode base run step out-offset err-offset cwd creates unless payload-bytes cap supervisor command
mode=$1 base=$2 run=$3 o=$5 e=$6 cwd=$7 creates=$8 unless=$9
d=$base/$run/$4
shift 9
payload=$1 cap=$2 supervisor=$3 command=$4
read -r boot </proc/sys/kernel/random/boot_id

say() {
	printf '\036LT1 %s %s\036' "$1" "${2:-0}"
	exit 0
}

# The process of the record, and not another one that got its number later.
alive() {
	[ -s "$d/pid" ] && read -r p t b <"$d/pid" && [ "$b" = "$boot" ] || return 1
	{ read -r s <"/proc/$p/stat"; } 2>/dev/null || return 1
	s=${s##*) }
	set -- $s
	[ "${20}" = "$t" ]
}

ended() {
	[ -s "$d/exit" ] && read -r code <"$d/exit"
}

# running, exited, interrupted, absent; one that was claimed a moment ago is given time to begin.
look() {
	n=0
	while :; do
		if ended; then state=exited; return; fi
		if alive; then state=running; return; fi
		if ended; then state=exited; return; fi
		if [ ! -d "$d" ]; then state=absent; return; fi
		if [ -s "$d/pid" ] || [ "$n" -ge 30 ]; then state=interrupted; return; fi
		n=$((n + 1))
		sleep 0.1
	done
}

# What FILE has beyond OFFSET; `size` is where it ends.
beyond() {
	size=$2
	[ -s "$1" ] || return 0
	size=$(($(wc -c <"$1")))
	[ "$size" -le "$2" ] || tail -c "+$(($2 + 1))" "$1" | head -c "$((size - $2))"
}

case $mode in
start)
	[ ! -d "$d" ] || say claimed
	cd "$cwd" || say broken
	[ -z "$creates" ] || [ ! -e "$creates" ] || say skipped creates
	if [ -n "$unless" ] && (eval "$unless") </dev/null >/dev/null 2>&1; then say skipped unless; fi
	in=/dev/null
	if [ -n "$payload" ]; then
		# All of it first: a connection that breaks halfway must not start the command with half its input.
		umask=$(umask)
		umask 077
		mkdir -p "$d.$$" && IFS= read -r line && printf '%s\n' "$line" >"$d.$$/env" && cat >"$d.$$/in" &&
			[ "$(($(wc -c <"$d.$$/in")))" -eq "$payload" ] || { rm -rf "$d.$$"; say broken; }
		umask "$umask"
	fi
	if ! mkdir -m 700 "$d" 2>/dev/null; then
		[ -d "$d" ] || (umask 077; mkdir -p "$base/$run")
		if ! mkdir -m 700 "$d" 2>/dev/null; then
			[ -z "$payload" ] || rm -rf "$d.$$"
			[ ! -d "$d" ] || say claimed
			mkdir -m 700 "$d" || say broken
		fi
	fi
	if [ -n "$payload" ]; then
		mv "$d.$$/env" "$d.$$/in" "$d/" && rmdir "$d.$$" || say broken
		in=$d/in
	fi
	setsid sh -c "$supervisor" lt "$d" "$command" <"$in" >"$d/out" 2>"$d/err" &
	wait $!
	if ended; then
		[ ! -s "$d/out" ] || head -c "$cap" "$d/out"
		[ ! -s "$d/err" ] || head -c "$cap" "$d/err" >&2
		say exited "$code"
	fi
	[ ! -s "$d/err" ] || head -c "$cap" "$d/err" >&2
	say claimed
	;;
follow)
	k=0
	while :; do
		look
		beyond "$d/out" "$o"
		o=$size
		beyond "$d/err" "$e" >&2
		e=$size
		[ "$state" = running ] || say "$state" "$code"
		# Nobody listens any more.
		kill -0 "$PPID" 2>/dev/null || exit 1
		k=$((k + 1))
		if [ "$k" -lt 20 ]; then sleep 0.1; elif [ "$k" -lt 100 ]; then sleep 0.3; else sleep 1; fi
	done
	;;
inspect)
	look
	say "$state" "$code"
	;;
stop)
	look
	[ "$state" = running ] || say "$state" "$code"
	read -r p t b <"$d/pid"
	kill -s TERM -- "-$p"
	n=0
	while [ "$n" -lt 50 ] && alive; do
		n=$((n + 1))
		sleep 0.1
	done
	alive && kill -s KILL -- "-$p"
	ended || echo 137 >"$d/exit"
	ended
	say exited "$code"
	;;
esac
