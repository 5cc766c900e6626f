# where(sandbox|node) provides(words) common apt dnf apk pacman zypper (words each, - if the manager has none of its own)
where=$1 provides=$2 common=$3
missing=
for command in $provides; do have "$command" || missing="$missing${missing:+ }$command"; done
[ -z "$provides" ] || [ -n "$missing" ] || finish
manager=
for m in apt-get dnf apk pacman zypper; do
	if have "$m"; then manager=$m; break; fi
done
case $manager in
apt-get) names=$4 ;;
dnf) names=$5 ;;
apk) names=$6 ;;
pacman) names=$7 ;;
zypper) names=$8 ;;
*) fail "this system has none of apt-get, dnf, apk, pacman, zypper" "install $common by hand${missing:+: $missing is missing}" ;;
esac
[ "$names" != - ] || names=$common
installed() {
	case $manager in
	apt-get) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed' ;;
	dnf | zypper) rpm -q "$1" >/dev/null 2>&1 ;;
	apk) apk info -e "$1" >/dev/null 2>&1 ;;
	pacman) pacman -Q "$1" >/dev/null 2>&1 ;;
	esac
}
if [ -z "$provides" ]; then
	for name in $names; do installed "$name" || missing="$missing${missing:+ }$name"; done
	[ -n "$missing" ] || finish
fi
case $manager in
pacman) how="pacman -S" ;;
apk) how="apk add" ;;
*) how="$manager install" ;;
esac
if [ "$where" = sandbox ]; then
	fail "$missing is not there, and a sandbox machine has the programs of this computer and no outside network" \
		"install on this computer: $how $names"
fi
case $manager in
apt-get)
	export DEBIAN_FRONTEND=noninteractive
	apt() { apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -qq -y "$@" </dev/null >&2; }
	# The lists of a fresh image are old or absent: they are fetched if it does not work without.
	apt install $names || { apt update && apt install $names; }
	;;
dnf) dnf -y -q install $names </dev/null >&2 ;;
apk) apk add -q $names </dev/null >&2 ;;
pacman) pacman -Sy --noconfirm --needed -q $names </dev/null >&2 ;;
zypper) zypper -n -q install $names </dev/null >&2 ;;
esac || fail "\`$how $names\` failed" "see the output; the package may have another name here"
missing=
for command in $provides; do have "$command" || missing="$missing${missing:+ }$command"; done
[ -z "$missing" ] || fail "$names was installed, but $missing is still not there" "correct \`provides\` or the package's name"
did "installed $names"
finish
