# The README's first command: it shows that all is well, and builds nothing the second time.
. "$(dirname "$0")/common.sh"

run=$(dirname "$0")/../../examples/run
build=$(dirname "$0")/../../.build/examples
"$run"
built=$(find "$build" -name '*.o' -printf '%p %T@\n' | sort)
output=$("$run")
[[ $output != *Building* ]] || fail "the second run says that it builds"
[[ $(find "$build" -name '*.o' -printf '%p %T@\n' | sort) == "$built" ]] || fail "the second run builds"
