# name folder digest enabled started restart: a unit file from standard input if there is a digest.
name=$1 digest=$3 enabled=$4 started=$5 restart=$6
have systemctl || fail "systemctl is not there" "services need systemd on the node"
run() {
	systemctl "$@" >&2 || {
		systemctl --no-pager --full status "$name" >&2
		! have journalctl || journalctl --no-pager -u "$name" -n 20 >&2
		fail "\`systemctl $*\` failed" "the last lines of its log are in the output"
	}
}
if [ -n "$digest" ]; then
	case $name in *.*) unit=$name ;; *) unit=$name.service ;; esac
	put "$2/$unit" "$digest" 644 "" ""
	if [ "$lt_changed" = changed ]; then
		lt_detail="unit $lt_detail"
		run daemon-reload
		restart=restart
	fi
fi
case $enabled in
yes) systemctl is-enabled -q "$name" 2>/dev/null || { run enable "$name"; did enabled; } ;;
no) ! systemctl is-enabled -q "$name" 2>/dev/null || { run disable "$name"; did disabled; } ;;
esac
active() { systemctl is-active -q "$name" 2>/dev/null; }
case $started in
yes)
	if ! active; then
		run start "$name"
		did started
	elif [ -n "$restart" ]; then
		run restart "$name"
		did restarted
	fi
	;;
no) ! active || { run stop "$name"; did stopped; } ;;
*) [ -z "$restart" ] || ! active || { run restart "$name"; did restarted; } ;;
esac
finish
