# syntax=docker/dockerfile:1

FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build
RUN npm ci --omit=dev --ignore-scripts
# What is in the image, for whoever looks for known holes in it: CycloneDX, with the hash of each package. npm takes what package.json
# asks for and is not there for a mistake, and with --omit=dev leaves out half of what is.
RUN npm pkg delete devDependencies && npm sbom --sbom-format cyclonedx --sbom-type application > sbom.cdx.json

# What `npm start` runs, for deploy/docker: sources and development dependencies. The image below is made without it.
FROM node:24-trixie-slim AS dev
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY src ./src
USER node
EXPOSE 8080 9090 9229 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "/app/src/bin.js", "healthcheck"]
ENTRYPOINT ["node", "/app/src/bin.js"]
CMD ["dev", "--host", "0.0.0.0"]

# Neither a shell nor a package manager, and a user without rights (65532). Debian 13, because regular support of
# Debian 12 ended in June 2026. Nothing is written at run time: the root file system may be read-only.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="cognito-auth-proxy" \
      org.opencontainers.image.description="A reverse proxy that lets in what Amazon Cognito vouches for and your rules allow" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs24-debian13:nonroot"
WORKDIR /app
COPY --from=build /app/package.json /app/sbom.cdx.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Whoever may reach port 9090 is for the network to say: the address inside a container is nobody's from outside.
ENV NODE_ENV=production DEFAULT_ADMIN_LISTEN=0.0.0.0:9090
# By default Node lets the young generation grow by the memory of the machine, to three times what is of use here.
ENV NODE_OPTIONS=--max-semi-space-size=16
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/dist/bin.js", "healthcheck"]
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/bin.js"]
CMD ["serve"]
