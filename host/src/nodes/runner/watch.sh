# Looks at the record of one command, stops it, or forgets it: `start.sh` says what a record is.
# mode base run step out-offset err-offset
mode=$1 d=$2/$3/$4 o=$5 e=$6

say() {
	printf '\036LT1 %s %s\036' "$1" "${2:-0}"
	exit 0
}

# The process of the record, and not another one that got its number, after a reboot for instance.
alive() {
	[ -s "$d.pid" ] && read -r p <"$d.pid" && [ "/proc/$p/fd/9" -ef "$d.pid" ]
}

ended() {
	[ -s "$d.exit" ] && read -r code boot <"$d.exit"
}

# The present boot. A container has the boot id of the machine around it, but a first process of its own.
booted() {
	read -r id </proc/sys/kernel/random/boot_id
	read -r s </proc/1/stat
	s=${s##*) }
	set -- $s
	now=$id.${20}
}

# One that ended after a signal from elsewhere was cut if that was a shutdown: the machine boots, at once or by and by.
judge() {
	state=exited
	[ -n "$boot" ] || return 0
	booted
	n=0
	while [ "$boot" = "$now" ] && [ "$n" -lt 50 ]; do
		n=$((n + 1))
		sleep 0.1
	done
	[ "$boot" = "$now" ] || state=interrupted
}

# running, exited, interrupted, absent; one that was claimed a moment ago is given time to begin.
look() {
	n=0
	while :; do
		if ended; then judge; return; fi
		if alive; then state=running; return; fi
		if ended; then judge; return; fi
		if [ ! -e "$d.pid" ]; then state=absent; return; fi
		if [ -s "$d.pid" ] || [ "$n" -ge 30 ]; then state=interrupted; return; fi
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
follow)
	k=0
	while :; do
		look
		beyond "$d.out" "$o"
		o=$size
		beyond "$d.err" "$e" >&2
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
forget)
	look
	[ "$state" != interrupted ] || rm -f "$d.out" "$d.err" "$d.exit" "$d.stop" "$d.pid"
	say "$state" "$code"
	;;
stop)
	look
	[ "$state" = running ] || say "$state" "$code"
	: >"$d.stop"
	kill -TERM "-$p"
	n=0
	while [ "$n" -lt 50 ] && alive; do
		n=$((n + 1))
		sleep 0.1
	done
	alive && kill -KILL "-$p"
	ended || echo 137 >"$d.exit"
	ended
	say exited "$code"
	;;
esac
