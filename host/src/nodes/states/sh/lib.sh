set -u
lt_changed=same lt_detail=

# Something was changed.
did() {
	lt_changed=changed
	lt_detail=$lt_detail${lt_detail:+, }$1
}

# Something worth knowing that is not a change.
note() { printf '\036note %s\n' "$1"; }

# fail MESSAGE [HINT]
fail() {
	printf '\036failed %s\036%s\n' "$1" "${2:-}"
	exit 1
}

# needs_ids WHAT: fails where the system has no number but root's to give, as a machine of an ordinary user's sandbox.
needs_ids() {
	case $(tr -s ' ' </proc/self/uid_map 2>/dev/null) in
	" 0 "*" 1") fail "$1, since root is the only user that this machine can have" \
		"on the computer that runs the sandbox: install newuidmap (Debian: apt-get install uidmap), give your user a line in /etc/subuid and in /etc/subgid, then \`linodetool sandbox stop\` and run this again" ;;
	esac
}

finish() {
	printf '\036%s %s\n' "$lt_changed" "$lt_detail"
	exit 0
}

have() { command -v "$1" >/dev/null 2>&1; }

digest() { sha256sum <"$1" | cut -c 1-64; }

# meta PATH MODE OWNER GROUP: an empty one is left as it is.
meta() {
	if [ -n "$2" ]; then
		lt_now=$(stat -c %a "$1") || fail "its mode cannot be read"
		if [ "$((0$lt_now))" -ne "$((0$2))" ]; then
			chmod "$2" "$1" || fail "its mode cannot be set to $2"
			did "mode $lt_now to $2"
		fi
	fi
	if [ -n "$3" ] && [ "$(stat -c %U "$1")" != "$3" ] && [ "$(stat -c %u "$1")" != "$3" ]; then
		chown "$3" "$1" || { needs_ids "its owner cannot be set to $3"; false; } || fail "its owner cannot be set to $3" "make the user first"
		did "owner $3"
	fi
	if [ -n "$4" ] && [ "$(stat -c %G "$1")" != "$4" ] && [ "$(stat -c %g "$1")" != "$4" ]; then
		chgrp "$4" "$1" || { needs_ids "its group cannot be set to $4"; false; } || fail "its group cannot be set to $4" "make the group first"
		did "group $4"
	fi
}

# A name beside PATH for its next content, with the mode and owner that PATH has, or 0644.
beside() {
	lt_new=${1%/*}/.lt-$$-${1##*/}
	if [ -e "$1" ]; then
		cp -p "$1" "$lt_new" && : >"$lt_new" || fail "no file can be made beside it"
	else
		(umask 022 && : >"$lt_new") || fail "no file can be made in ${1%/*}" "make the directory first"
	fi
}

# replace PATH WHAT: takes the file made by `beside` if it differs.
replace() {
	if [ -e "$1" ] && [ "$(digest "$1")" = "$(digest "$lt_new")" ]; then
		rm -f "$lt_new"
	else
		# A file that is a mount of its own, as in containers, can only be written in place.
		mv -f "$lt_new" "$1" 2>/dev/null || cat "$lt_new" >"$1" || { rm -f "$lt_new"; fail "it cannot be replaced"; }
		rm -f "$lt_new"
		did "$2"
	fi
}

# put PATH DIGEST MODE OWNER GROUP: content from standard input.
put() {
	lt_to=$1
	[ ! -L "$1" ] || lt_to=$(readlink -f "$1") || fail "it is a symbolic link that leads nowhere"
	[ ! -d "$lt_to" ] || fail "it is a directory" "name a file in it"
	if [ -f "$lt_to" ] && [ "$(digest "$lt_to")" = "$2" ]; then
		cat >/dev/null
		meta "$lt_to" "$3" "$4" "$5"
		return
	fi
	lt_what=created
	[ ! -e "$lt_to" ] || lt_what=content
	lt_new=${lt_to%/*}/.lt-$$-${lt_to##*/}
	trap 'rm -f "$lt_new"' EXIT
	# Private until it has the mode and owner that it is to have.
	(umask 077 && cat >"$lt_new") || fail "it cannot be written" "make the directory first, or room on the disk"
	[ "$(digest "$lt_new")" = "$2" ] || fail "its content arrived incomplete"
	if [ -e "$lt_to" ]; then
		chown "$(stat -c %u:%g "$lt_to")" "$lt_new" && chmod "$(stat -c %a "$lt_to")" "$lt_new"
	else
		chmod "${3:-644}" "$lt_new"
	fi || fail "its mode cannot be set"
	lt_before=$lt_changed/$lt_detail
	meta "$lt_new" "$3" "$4" "$5"
	[ "$lt_what" != created ] || { lt_changed=${lt_before%%/*} lt_detail=${lt_before#*/}; }
	mv -f "$lt_new" "$lt_to" || fail "it cannot be replaced"
	trap - EXIT
	did "$lt_what"
}
