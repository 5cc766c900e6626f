# In a session of its own: nothing that happens to the connection reaches it.
d=$1 command=$2
read -r boot </proc/sys/kernel/random/boot_id
read -r s <"/proc/$$/stat"
s=${s##*) }
set -- $s
printf '%s %s %s\n' "$$" "${20}" "$boot" >"$d/pid" || exit 1
# Survives what stops the command, to record how it ended; the command itself has the default again.
trap : TERM INT HUP
(
	if [ -s "$d/env" ]; then
		nl='
'
		. "$d/env"
		rm -f "$d/env"
	fi
	set --
	eval "$command"
)
code=$?
[ ! -e "$d/in" ] || rm -f "$d/in"
printf '%s\n' "$code" >"$d/exit"
