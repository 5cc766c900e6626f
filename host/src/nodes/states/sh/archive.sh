# path dest creates strip owner sha256
path=$1 dest=$2 creates=$3 strip=$4 owner=$5 want=$6
mark=$dest/.linodetool-${path##*/}
[ -z "$creates" ] || [ ! -e "$creates" ] || [ -e "$mark" ] || finish
had= stamp=
[ ! -s "$mark" ] || read -r had stamp <"$mark"
if [ ! -e "$path" ]; then
	# It may have been removed after it was unpacked.
	[ -n "$had" ] && [ "${want:-$had}" = "$had" ] && { [ -z "$creates" ] || [ -e "$creates" ]; } && finish
	fail "there is no $path" "upload it first"
fi
now=$(stat -c %s:%Y "$path") || fail "$path cannot be read"
if [ -z "$had" ] || [ "$now" != "$stamp" ] || [ "${want:-$had}" != "$had" ]; then
	sum=$(digest "$path")
	[ -z "$want" ] || [ "$sum" = "$want" ] || fail "$path is not the archive it should be: SHA-256 is $sum, not $want" "fetch it again"
else
	sum=$had
fi
if [ "$sum" = "$had" ] && { [ -z "$creates" ] || [ -e "$creates" ]; }; then
	[ "$now" = "$stamp" ] || printf '%s %s\n' "$sum" "$now" >"$mark"
	finish
fi
mkdir -p "$dest" || fail "$dest cannot be made"
rm -f "$mark"
case $path in
*.zip)
	[ "$strip" = 0 ] || fail "folders cannot be stripped from a zip archive"
	have unzip || fail "unzip is not there" "install it first: package unzip"
	unzip -oq "$path" -d "$dest" >&2 || fail "$path cannot be unpacked"
	;;
*) tar -xf "$path" -C "$dest" --strip-components="$strip" --no-same-owner >&2 || fail "$path cannot be unpacked into $dest" ;;
esac
[ -z "$creates" ] || [ -e "$creates" ] || fail "it was unpacked, but $creates is not there" "see what the archive holds: tar -tf $path"
[ -z "$owner" ] || chown -R "$owner" "$dest" || fail "the owner of $dest cannot be set to $owner" "make the user first"
printf '%s %s\n' "$sum" "$now" >"$mark" || fail "$mark cannot be written"
did unpacked
finish
