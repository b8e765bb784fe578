# Caddy with Attest, on nothing but certificates: no shell, no package manager, and a user
# that is not root.
#
#   docker build -t attest .
#   docker run -p 8080:8080 -v "$PWD/Caddyfile:/etc/caddy/Caddyfile:ro" -v attest:/data attest
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download github.com/caddyserver/caddy/v2
COPY . .
RUN ./xcaddy.sh && ./caddy list-modules | grep -q '^attest$' \
	&& mkdir -p /out/data /out/config /out/etc/caddy && cp caddy /out/caddy

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/config /config
COPY --from=build /out/caddy /usr/bin/caddy
ENV XDG_DATA_HOME=/data XDG_CONFIG_HOME=/config
VOLUME ["/data", "/config"]
USER 65532:65532
EXPOSE 8080 8443
# The admin endpoint answers inside the container alone. 0: it serves; see docs/operating.md.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/usr/bin/caddy", "attest", "health"]
ENTRYPOINT ["/usr/bin/caddy"]
CMD ["run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
