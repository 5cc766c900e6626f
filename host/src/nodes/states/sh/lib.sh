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

# has PATH NAME-FORMAT NUMBER-FORMAT WANTED: a wanted owner or group is a name or a number.
has() { [ "$(stat -c "%$2" "$1")" = "$4" ] || [ "$(stat -c "%$3" "$1")" = "$4" ]; }

# meta PATH MODE OWNER GROUP [LIKE]: an empty one is left as it is, or made what LIKE has. A change is what LIKE, or else
# PATH, did not have. The mode comes last, so that nobody but its owner-to-be reads a new file.
meta() {
	lt_like=${5:-$1}
	lt_owner=${3:-$(stat -c %u "$lt_like")} lt_group=${4:-$(stat -c %g "$lt_like")} lt_now=$(stat -c %a "$lt_like") || fail "its mode cannot be read"
	has "$lt_like" U u "$lt_owner" || lt_new_owner=$lt_owner
	has "$lt_like" G g "$lt_group" || lt_new_group=$lt_group
	has "$1" U u "$lt_owner" || chown "$lt_owner" "$1" ||
		{ needs_ids "its owner cannot be set to $lt_owner"; false; } || fail "its owner cannot be set to $lt_owner" "make the user first"
	has "$1" G g "$lt_group" || chgrp "$lt_group" "$1" ||
		{ needs_ids "its group cannot be set to $lt_group"; false; } || fail "its group cannot be set to $lt_group" "make the group first"
	lt_mode=${2:-$lt_now}
	[ "$((0$(stat -c %a "$1")))" -eq "$((0$lt_mode))" ] || chmod "$lt_mode" "$1" || fail "its mode cannot be set to $lt_mode"
	[ "$((0$lt_now))" -eq "$((0$lt_mode))" ] || did "mode $lt_now to $lt_mode"
	[ -z "${lt_new_owner:-}" ] || did "owner $lt_new_owner"
	[ -z "${lt_new_group:-}" ] || did "group $lt_new_group"
	lt_new_owner= lt_new_group=
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
	# Private until it has the owner, and then the mode, that it is to have.
	(umask 077 && cat >"$lt_new") || fail "it cannot be written" "make the directory first, or room on the disk"
	[ "$(digest "$lt_new")" = "$2" ] || fail "its content arrived incomplete"
	if [ "$lt_what" = content ]; then
		meta "$lt_new" "$3" "$4" "$5" "$lt_to"
	else
		lt_before=$lt_changed/$lt_detail
		meta "$lt_new" "${3:-644}" "$4" "$5"
		lt_changed=${lt_before%%/*} lt_detail=${lt_before#*/}
	fi
	mv -f "$lt_new" "$lt_to" || fail "it cannot be replaced"
	trap - EXIT
	did "$lt_what"
}
