# path mode owner group state
path=$1
[ ! -e "$path" ] || [ -d "$path" ] || fail "it exists and is no directory"
if [ "$5" = absent ]; then
	if [ -d "$path" ]; then
		rm -rf "$path" || fail "it cannot be removed"
		did removed
	fi
	finish
fi
if [ ! -d "$path" ]; then
	mkdir -p "$path" || fail "it cannot be made"
	did created
	lt_before=$lt_detail
	meta "$path" "$2" "$3" "$4"
	lt_detail=$lt_before
else
	meta "$path" "$2" "$3" "$4"
fi
finish
