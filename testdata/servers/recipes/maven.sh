# shellcheck shell=bash
# What recipes from Maven share. Sourced, never run.

java_is_17() {
	local major
	command -v java >/dev/null || return 1
	major=$(java -version 2>&1 | sed -n -E 's/.* version "([0-9]+).*/\1/p' | head -n 1)
	[ "${major:-0}" -ge 17 ]
}

# maven WHAT LOG ARG...: Maven with three attempts; its last error is the reason that install prints.
maven() {
	local attempt what=$1 log=$2
	shift 2
	for attempt in 1 2 3; do
		mvn -q -B -U -Dstyle.color=never "$@" >"$log" 2>&1 && return
		cat "$log"
		note "Maven: attempt $attempt of 3 ended with an error"
	done
	die "Maven can't serve $what: $(sed -n -E 's/^.*\[ERROR\] (.*[^ ].*)/\1/p' "$log" | head -n 1)"
}

# property NAME: a version that the recipe's pom names.
property() {
	# shellcheck disable=SC2154 # the recipe's
	sed -n -E "s:.*<$1>(.*)</$1>.*:\1:p" "$pom"
}
