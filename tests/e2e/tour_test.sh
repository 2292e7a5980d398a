# The README's first command: it shows that all is well, and builds nothing the second time.
. "$(dirname "$0")/common.sh"

run=$(dirname "$0")/../../examples/run
"$run"
output=$("$run")
[[ $output != *Building* ]] || fail "the second run builds"
