# path name: a block between two marks at the top of the file, from standard input.
path=$1
[ ! -L "$path" ] || path=$(readlink -f "$path") || fail "it is a symbolic link that leads nowhere"
beside "$path"
{
	printf '# linodetool %s: begin\n' "$2"
	cat
	printf '# linodetool %s: end\n' "$2"
	[ ! -e "$path" ] || LT_NAME=$2 awk '
		BEGIN { name = "# linodetool " ENVIRON["LT_NAME"] ": " }
		$0 == name "begin" { inside = 1 }
		!inside
		$0 == name "end" { inside = 0 }
	' "$path"
} >"$lt_new" || { rm -f "$lt_new"; fail "it cannot be written"; }
replace "$path" block
finish
