# xtree on PostgreSQL's official image:  docker build --build-arg PG_MAJOR=17 -t xtree .
# What a server needs is preloaded; CREATE EXTENSION xtree makes it known to a database.
ARG PG_MAJOR=17

FROM postgres:${PG_MAJOR} AS build
ARG PG_MAJOR
RUN apt-get update && apt-get install -y --no-install-recommends g++ make libboost-dev libicu-dev postgresql-server-dev-${PG_MAJOR}
COPY . /src
RUN make -C /src -j "$(nproc)" PG_CONFIG=/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config && \
    make -C /src install DESTDIR=/out PG_CONFIG=/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config

FROM postgres:${PG_MAJOR}
COPY --from=build /out /
CMD ["postgres", "-c", "shared_preload_libraries=xtree"]
