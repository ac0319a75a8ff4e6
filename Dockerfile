# The C workers: one build stage, one small image for each group of pools.
ARG BASE_IMAGE=debian:trixie-slim

FROM ${BASE_IMAGE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev make \
      libcurl4-openssl-dev libexpat1-dev libfcgi-dev libjansson-dev libjwt-dev libmagic-dev libpq-dev libssl-dev zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY build.mk ./
COPY lib lib
COPY fcgi-security fcgi-security
COPY fcgi-uploader fcgi-uploader
COPY fcgi-metrics fcgi-metrics
RUN make -s -j2 -f build.mk OUT=/out

FROM ${BASE_IMAGE} AS security
RUN apt-get update \
 && apt-get install -y --no-install-recommends libfcgi-bin multiwatch spawn-fcgi \
      libfcgi0t64 libjansson4 libjwt2 libpq5 libssl3t64 \
 && rm -rf /var/lib/apt/lists/*
COPY pool/ /usr/local/bin/
COPY --from=build /out/bin/accounts /out/bin/validate /out/bin/revocations /out/bin/hash-password /out/bin/metrics /usr/local/bin/
# Each service of the compose file names its own user and program.
USER 65534:65534

FROM ${BASE_IMAGE} AS uploader
RUN apt-get update \
 && apt-get install -y --no-install-recommends libfcgi-bin multiwatch spawn-fcgi \
      ca-certificates libcurl4t64 libexpat1 libfcgi0t64 libjansson4 libmagic1t64 libssl3t64 zlib1g \
 && rm -rf /var/lib/apt/lists/*
COPY pool/ /usr/local/bin/
COPY --from=build /out/bin/uploader /out/bin/signer /out/bin/gallery /usr/local/bin/
USER 65534:65534
