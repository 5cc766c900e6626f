# name system uid home shell create-home groups...
name=$1 system=$2 uid=$3 home=$4 shell=$5 make=$6
shift 6
# Names without blanks.
groups=$*
entry() { if have getent; then getent "$1" "$2"; else grep "^$2:" "/etc/$1"; fi; }
entry passwd "$name" >/dev/null || needs_ids "it cannot be made"
for group in $groups; do
	if ! entry group "$group" >/dev/null; then
		if have groupadd; then groupadd "$group"; else addgroup "$group"; fi >&2 || fail "group $group cannot be made"
		did "group $group made"
	fi
done
if ! entry passwd "$name" >/dev/null; then
	if have useradd; then
		set --
		[ -z "$system" ] || set -- "$@" -r
		[ -z "$uid" ] || set -- "$@" -u "$uid"
		[ -z "$home" ] || set -- "$@" -d "$home"
		[ -z "$shell" ] || set -- "$@" -s "$shell"
		if [ -n "$make" ]; then set -- "$@" -m; else set -- "$@" -M; fi
		useradd "$@" -- "$name" >&2 || fail "it cannot be made"
	else
		flags=-D
		[ -z "$system" ] || flags="$flags -S"
		[ -n "$make" ] || flags="$flags -H"
		adduser $flags ${uid:+-u "$uid"} ${home:+-h "$home"} ${shell:+-s "$shell"} "$name" >&2 || fail "it cannot be made"
	fi
	did created
else
	line=$(entry passwd "$name")
	if [ -n "$uid" ] && [ "$(printf %s "$line" | cut -d: -f3)" != "$uid" ]; then
		fail "it exists with another number" "remove it or leave \`uid\` out: its files would belong to nobody"
	fi
	if [ -n "$home" ] && [ "$(printf %s "$line" | cut -d: -f6)" != "$home" ]; then
		usermod -d "$home" "$name" >&2 || fail "its home cannot be set"
		did "home $home"
	fi
	if [ -n "$shell" ] && [ "$(printf %s "$line" | cut -d: -f7)" != "$shell" ]; then
		usermod -s "$shell" "$name" >&2 || fail "its shell cannot be set"
		did "shell $shell"
	fi
fi
for group in $groups; do
	case " $(id -nG "$name") " in
	*" $group "*) ;;
	*)
		if have usermod; then usermod -aG "$group" "$name"; else addgroup "$name" "$group"; fi >&2 ||
			fail "it cannot be put into group $group"
		did "group $group"
		;;
	esac
done
finish
