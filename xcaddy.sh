#!/bin/sh
# Builds ./caddy: Caddy with Attest in it.
#
#   ./xcaddy.sh                     build ./caddy
#   ./xcaddy.sh --with MODULE ...   build it with further plugins (needs xcaddy)
#   ./xcaddy.sh run [args]          build, then run Caddyfile.example
#   CADDY_VERSION=v2.11.3 ./xcaddy.sh    build it with another Caddy than go.mod's
#
# xcaddy is used where it is installed. Without it, Go alone builds ./cmd/caddy
# with xcaddy's own flags, which gives the same program.
set -eu
cd "$(dirname "$0")"

module=github.com/attestgate/caddy-attest
caddy=$(sed -n 's|^\tgithub.com/caddyserver/caddy/v2 \(v[^ ]*\).*|\1|p' go.mod)

need_go() {
	command -v go >/dev/null 2>&1 || {
		echo "xcaddy.sh: Go 1.26 or newer is needed: https://go.dev/dl/" >&2
		exit 1
	}
}

compile() {
	CGO_ENABLED=0 go build -trimpath -ldflags '-w -s' -tags nobadger,nomysql,nopgx -o "$1" ./cmd/caddy
}

# Another Caddy, with its own dependencies, in a copy: go.mod asks for the newest
# one, and Go never takes an older version than what a go.mod asks for.
other() {
	[ "$#" -eq 0 ] || {
		echo "xcaddy.sh: --with and CADDY_VERSION do not go together" >&2
		exit 1
	}
	echo "building ./caddy $CADDY_VERSION with go" >&2
	out=$PWD/caddy
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	.ci/with-caddy "$CADDY_VERSION" "$dir"
	(cd "$dir" && compile "$out")
}

build() {
	need_go
	if [ "${CADDY_VERSION:-$caddy}" != "$caddy" ]; then
		other "$@"
		return
	fi
	if command -v xcaddy >/dev/null 2>&1; then
		echo "building ./caddy $caddy with xcaddy" >&2
		xcaddy build "$caddy" --output ./caddy --with "$module@v0.0.0=$PWD" "$@"
		return
	fi
	if [ "$#" -gt 0 ]; then
		echo "xcaddy.sh: --with needs xcaddy: https://github.com/caddyserver/xcaddy" >&2
		exit 1
	fi
	echo "building ./caddy $caddy with go (the first build takes a few minutes)" >&2
	compile ./caddy
}

case "${1-}" in
run)
	shift
	build
	exec ./caddy run --config Caddyfile.example --adapter caddyfile "$@"
	;;
-h | --help | help)
	sed -n '2,11s/^# \{0,1\}//p' "$0"
	;;
*)
	build "$@"
	;;
esac
