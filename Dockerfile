# The images of kiban. One holds nothing but the binary; one has Renovate beside it, one the lab; and the one that is built by default has a
# shell, because runners start the lines of a job with one. docs/release.md says how they are built and why they are as they are.

# "source" builds the binary from these sources, "release" takes the one that a release has built.
ARG BINARY=source

FROM --platform=$BUILDPLATFORM golang:1.26.8 AS binary-source
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags '-s -w' -o /kiban ./cmd/kiban

# A release's images hold the same binary as its archives.
FROM scratch AS binary-release
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/kiban /kiban

FROM binary-$BINARY AS binary

# The lab is built as kiban is. It is a module in a folder: Go reads its version from the tag lab/vX.Y.Z, which is set here where the
# commit has a tag vX.Y.Z.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS binary-lab-source
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
COPY go.mod go.sum ./
COPY lab/go.mod lab/go.sum ./lab/
RUN go -C lab mod download
COPY . .
RUN git tag --points-at HEAD 'v*' | while read -r tag; do git tag --force "lab/$tag"; done
ARG TARGETOS TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go -C lab build -trimpath -ldflags '-s -w' -o /kiban-lab ./cmd/kiban-lab

FROM scratch AS binary-lab-release
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/kiban-lab /kiban-lab

FROM binary-lab-$BINARY AS binary-lab

# What surrounds it: whom to trust, who runs it, and where it may write.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS around
RUN mkdir -p /root-of/etc/ssl/certs /root-of/home/kiban && mkdir -m 1777 /root-of/tmp \
 && cp -L /etc/ssl/certs/ca-certificates.crt /root-of/etc/ssl/certs/ \
 && echo 'kiban:x:1000:1000::/home/kiban:/bin/sh' > /root-of/etc/passwd \
 && echo 'kiban:x:1000:' > /root-of/etc/group \
 && chown 1000:1000 /root-of/home/kiban

# The shell's commands are links to one file. They are made where they can be listed, which is not the machine that the image is for.
FROM --platform=$BUILDPLATFORM busybox:1.37.0-musl AS applets
RUN mkdir -p /root-of/bin && busybox --list | while read -r name; do test "$name" = busybox || ln -s busybox "/root-of/bin/$name"; done

FROM busybox:1.37.0-musl AS busybox

FROM scratch AS kiban
COPY --from=around /root-of/ /
COPY --from=binary /kiban /usr/local/bin/kiban
ENV PATH=/usr/local/bin:/bin HOME=/home/kiban
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/kiban"]

# What Renovate's job uses: kiban makes lock files anew in the merge requests that Renovate opens.
FROM ghcr.io/renovatebot/renovate:44.121.2 AS renovate
COPY --from=binary /kiban /usr/local/bin/kiban

# What jobs have in common. It has no entrypoint: a runner starts the shell.
FROM scratch AS shell
COPY --from=around /root-of/ /
COPY --from=applets /root-of/ /
COPY --from=busybox /bin/busybox /bin/busybox
COPY --from=binary /kiban /usr/local/bin/kiban
ENV PATH=/usr/local/bin:/bin HOME=/home/kiban
USER 1000:1000
CMD ["sh"]

# What rehearsals and drills use: kiban finds the lab beside itself.
FROM shell AS lab
COPY --from=binary-lab /kiban-lab /usr/local/bin/kiban-lab

# What pipelines use.
FROM shell AS job
