#!/bin/sh
# Runs the server, and turns SIGTERM and SIGINT (Ctrl+C) into a graceful end: the clients are told and get all that was
# sent to them, then the server leaves with exit code 0. Godot itself ends at once on these signals.
#
# Usage: serve.sh PROGRAM [ARGUMENTS], for instance
#   ./serve.sh ./arena.x86_64 --headless -- --server --port 4242
# The server must know --stop-file FILE: it ends when the file appears.
set -u

folder=$(mktemp -d) || exit 1
stop_file="$folder/stop"
trap ': >"$stop_file"' TERM INT

# A shell starts a program in the background so that Ctrl+C does not reach it.
"$@" --stop-file "$stop_file" &
server=$!

# A signal interrupts the wait; then the server is still there.
while :; do
	wait "$server"
	code=$?
	kill -0 "$server" 2>/dev/null || break
done
rm -rf "$folder"
exit "$code"
