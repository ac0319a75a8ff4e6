# Settings of the shell programs, by the same rules as those of lib/config.h; to be sourced.
#
# setting NAME [DEFAULT]
#	Put the value of the environment's NAME, or the content of the file that NAME_FILE names, or DEFAULT,
#	into the variable NAME. A value is one line of printable ASCII. What is wrong is remembered.
# setting_problem TEXT
#	Remember a problem that the program itself found.
# settings_done
#	End the program (78, EX_CONFIG of sysexits(3)) with one line for each problem, if there was any.
# shellcheck shell=sh

LC_ALL=C
export LC_ALL
settings_problems=

setting_problem() {
	settings_problems="$settings_problems${0##*/}: $1
"
}

setting() {
	eval "setting_value=\${$1-} setting_file=\${$1_FILE-}"
	if [ -n "$setting_value" ] && [ -n "$setting_file" ]; then
		setting_problem "$1 and $1_FILE are both set"
	elif [ -n "$setting_file" ]; then
		if ! setting_value=$(cat -- "$setting_file" 2>/dev/null); then
			setting_problem "$1_FILE: cannot read $setting_file"
		elif [ -z "$setting_value" ]; then
			setting_problem "$1_FILE: $setting_file is empty"
		fi
	elif [ -z "$setting_value" ]; then
		if [ $# -eq 2 ]; then
			setting_value=$2
		else
			setting_problem "$1 is not set, nor is $1_FILE"
		fi
	fi
	case $setting_value in
	*[![:print:]]*) setting_problem "$1 is not one line of printable ASCII" ;;
	esac
	eval "$1=\$setting_value"
}

settings_done() {
	if [ -n "$settings_problems" ]; then
		printf %s "$settings_problems" >&2
		exit 78
	fi
}
