#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// What the delivery report says of one record.
typedef struct {
  int64_t offset;
  rd_kafka_resp_err_t error;
  rd_kafka_msg_status_t status;
  int32_t is_done;
} ckafka_delivery;

// rd_kafka_producev is variadic, which Swift can't call. `delivery` gets the report. An empty key
// or value isn't a null one, and only its pointer tells: it needs a place to point to.
static inline rd_kafka_resp_err_t ckafka_produce(
    rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, int has_key, const void *key,
    size_t key_length, const void *value, size_t value_length, int64_t timestamp,
    ckafka_delivery *delivery) {
  const void *safe_key = !has_key ? NULL : key_length > 0 ? key : "";
  return rd_kafka_producev(
      client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_KEY(safe_key, key_length),
      RD_KAFKA_V_VALUE((void *)(value_length > 0 ? value : ""), value_length),
      RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_OPAQUE(delivery), RD_KAFKA_V_END);
}
