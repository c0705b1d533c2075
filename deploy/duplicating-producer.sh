#!/usr/bin/env bash
# A producer that behaves badly on purpose: every tenth order is sent twice. Runs in the Kafka image (docker-compose.yml).
set -euo pipefail
bootstrap="${KAFKA_BOOTSTRAP_SERVERS:-kafka:9092}"
topic="${TOPIC:-orders}"
per_second="${ORDERS_PER_SECOND:-10}"

orders() {
  local number=0 line
  while true; do
    number=$((number + 1))
    line="order-$number:{\"order\":$number,\"amount\":$((RANDOM % 10000))}"
    printf '%s\n' "$line"
    if [ $((number % 10)) -eq 0 ]; then printf '%s\n' "$line"; fi
    if [ $((number % per_second)) -eq 0 ]; then sleep 1; fi
  done
}

orders | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server "$bootstrap" --topic "$topic" --property parse.key=true --property key.separator=:
