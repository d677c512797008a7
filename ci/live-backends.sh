# Servers and backends files over them; sourced.
# shellcheck shell=bash

own_services=

# Starts servers of our own unless REHEARSAL_SERVICES names a folder of `ci/services.sh start`.
start_services() {
  [ -z "${REHEARSAL_SERVICES:-}" ] || return 0
  # Short, since sockets lie in it.
  own_services=$(mktemp -d)/services
  bash ci/services.sh start "$own_services"
  # shellcheck source=/dev/null
  . "$own_services/env"
}

stop_services() {
  if [ -n "$own_services" ]; then bash ci/services.sh stop "$own_services"; fi
}

# Writes live, sqlite, postgres, kafka, redis, s3, tls and bench .yaml; what is in folders lies
# beside: FOLDER
write_backends() {
  local work=$1
  local postgres='postgres: { conninfo: "${REHEARSAL_POSTGRES}",
  password: "${REHEARSAL_POSTGRES_PASSWORD}" }'
  local kafka='kafka: { servers: "${REHEARSAL_KAFKA}" }'
  local redis="redis: { host: ${REHEARSAL_REDIS%:*}, port: ${REHEARSAL_REDIS##*:},
  password: \"\${REHEARSAL_REDIS_PASSWORD}\" }"
  local s3='s3: { endpoint: "${REHEARSAL_S3}", bucket: "${REHEARSAL_S3_BUCKET}",
  access_key: "${REHEARSAL_S3_ACCESS_KEY}", secret_key: "${REHEARSAL_S3_SECRET_KEY}" }'
  local sqlite="sqlite: { folder: $work/sqlite }" folder="folder: { path: $work/files }"

  write_file live "store: postgres, checkpoints: postgres, catalog: postgres, log: kafka,
  features: redis, objects: s3, lake: s3" "$postgres" "$kafka" "$redis" "$s3"
  write_file sqlite "store: sqlite, checkpoints: sqlite, catalog: sqlite, objects: folder,
  lake: folder" "$sqlite" "$folder"
  write_file postgres "store: postgres, checkpoints: postgres, catalog: postgres, lake: folder" \
    "$postgres" "$folder"
  write_file kafka "log: kafka" "$kafka"
  write_file redis "features: redis" "$redis"
  write_file s3 "objects: s3, lake: s3, catalog: sqlite" "$s3" "$sqlite"
  # Under TLS, with the servers' names and who signed them verified.
  write_file tls "store: postgres, checkpoints: postgres, catalog: postgres, objects: s3, lake: s3" \
    'postgres: { conninfo: "${REHEARSAL_POSTGRES}", password: "${REHEARSAL_POSTGRES_PASSWORD}",
  ssl_mode: verify-full, ssl_root_certificate: "${REHEARSAL_AUTHORITY}" }' \
    's3: { endpoint: "${REHEARSAL_S3_TLS}", ssl_certificates: "${REHEARSAL_AUTHORITY}",
  bucket: "${REHEARSAL_S3_BUCKET}", access_key: "${REHEARSAL_S3_ACCESS_KEY}",
  secret_key: "${REHEARSAL_S3_SECRET_KEY}" }'
  # The online path's ports; uploaded files stay in memory.
  write_file bench "store: postgres, log: kafka, features: redis" "$postgres" "$kafka" "$redis"
}

write_file() { # NAME PORTS SECTION...
  local file=$work/$1.yaml ports=$2
  shift 2
  { echo "prefix: ci"; echo "ports: { $ports }"; printf '%s\n' "$@"; } >"$file"
}
