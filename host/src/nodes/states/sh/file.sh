# path mode owner group state digest
path=$1
case $5 in
absent)
	[ ! -d "$path" ] || [ -L "$path" ] || fail "it is a directory"
	if [ -e "$path" ] || [ -L "$path" ]; then
		rm -f "$path" || fail "it cannot be removed"
		did removed
	fi
	;;
exists)
	if [ ! -e "$path" ]; then
		: >"$path" || fail "it cannot be made" "make the directory first"
		did created
	fi
	meta "$path" "$2" "$3" "$4"
	;;
*) put "$path" "$6" "$2" "$3" "$4" ;;
esac
finish
