# file digest proc key value [key value]...: the file's content from standard input.
file=$1 digest=$2 proc=$3
shift 3
known() {
	while [ "$#" -ge 2 ]; do
		[ -e "$proc/$(printf %s "$1" | tr . /)" ] || fail "this kernel has no setting $1" "see the names with: sysctl -a"
		shift 2
	done
}
known "$@"
put "$file" "$digest" 644 "" ""
words() { set -f; set -- $1; printf '%s' "$*"; set +f; }
while [ "$#" -ge 2 ]; do
	at=$proc/$(printf %s "$1" | tr . /)
	if [ "$(words "$(cat "$at")")" != "$(words "$2")" ]; then
		if { printf '%s\n' "$2" >"$at"; } 2>/dev/null; then
			did "$1 = $2"
		elif [ -w "$at" ] && ! { : >>"$at"; } 2>/dev/null || [ ! -w "$at" ]; then
			note "$1 cannot be set here: the kernel's settings are read-only in a container or sandbox machine"
		else
			fail "$1 does not take the value $2"
		fi
	fi
	shift 2
done
finish
