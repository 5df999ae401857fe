# The image of Hookarr, of what `make image` has put into bin/image/: nothing is built here,
# and nothing is fetched. `make image` is the command for it.
FROM scratch

COPY bin/image/ /

# PUID and PGID are whose the volume is: started as root, Hookarr gives it to that user and
# becomes that user. `user:` starts it as one, and then they mean nothing.
ENV PATH=/usr/bin \
    HOOKARR_VOLUME=/config \
    PUID=1000 \
    PGID=1000 \
    UMASK=022

WORKDIR /config
VOLUME /config
EXPOSE 8484/tcp

HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["/usr/bin/hookarr", "healthcheck"]

ENTRYPOINT ["/usr/bin/hookarr"]
CMD ["serve", "--init"]

ARG VERSION=devel
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Hookarr" \
      org.opencontainers.image.description="Takes the webhooks of Arr applications and delivers them" \
      org.opencontainers.image.source="https://github.com/hookarr/hookarr" \
      org.opencontainers.image.documentation="https://github.com/hookarr/hookarr/blob/main/docs/docker.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
