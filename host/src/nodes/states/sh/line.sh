# path line pattern state create
path=$1
[ ! -L "$path" ] || path=$(readlink -f "$path") || fail "it is a symbolic link that leads nowhere"
if [ ! -e "$path" ]; then
	[ "$4" = present ] || finish
	[ "$5" = create ] || fail "there is no such file" "make it first, or say create: true"
fi
beside "$path"
from=$path
[ -e "$path" ] || from=/dev/null
LT_LINE=$2 LT_PATTERN=$3 LT_STATE=$4 awk '
	BEGIN { line = ENVIRON["LT_LINE"]; pattern = ENVIRON["LT_PATTERN"]; absent = ENVIRON["LT_STATE"] == "absent" }
	absent {
		if (pattern != "" ? $0 !~ pattern : $0 != line) print
		next
	}
	{
		all[NR] = $0
		if ($0 == line) equal = NR
		if (pattern != "" && $0 ~ pattern) match_ = NR
	}
	END {
		if (absent) exit
		n = NR
		if (match_) all[match_] = line
		else if (!equal) all[++n] = line
		for (i = 1; i <= n; i++) print all[i]
	}
' "$from" >"$lt_new" || { rm -f "$lt_new"; fail "it cannot be read as text, or the pattern is no regular expression"; }
replace "$path" "line $4"
finish
