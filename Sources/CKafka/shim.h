#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

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

// The end of a client, on a thread of its own. One of `end` and `wait` frees it, whoever is last.
typedef struct {
  rd_kafka_t *client;
  void (*ended)(void *);
  void *context;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int is_ended;
  int is_abandoned;
} ckafka_farewell;

static inline void *ckafka_end(void *argument) {
  ckafka_farewell *farewell = (ckafka_farewell *)argument;
  rd_kafka_destroy_flags(farewell->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  farewell->ended(farewell->context);
  pthread_mutex_lock(&farewell->lock);
  farewell->is_ended = 1;
  int is_abandoned = farewell->is_abandoned;
  pthread_cond_signal(&farewell->changed);
  pthread_mutex_unlock(&farewell->lock);
  if (is_abandoned) free(farewell);
  return NULL;
}

// Destroys a client without closing its membership, and gives up waiting after `seconds`: the
// library waits without end for a broker thread that something still refers to. `ended` is called
// when the client is gone. Gives 0 when it didn't come to its end; then it may later.
static inline int ckafka_destroy(
    rd_kafka_t *client, int seconds, void (*ended)(void *), void *context) {
  ckafka_farewell *farewell = (ckafka_farewell *)calloc(1, sizeof(ckafka_farewell));
  pthread_t thread;
  if (farewell == NULL) return 0;
  farewell->client = client;
  farewell->ended = ended;
  farewell->context = context;
  pthread_mutex_init(&farewell->lock, NULL);
  pthread_cond_init(&farewell->changed, NULL);
  if (pthread_create(&thread, NULL, ckafka_end, farewell) != 0) {
    free(farewell);
    return 0;
  }
  pthread_detach(thread);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += seconds;
  pthread_mutex_lock(&farewell->lock);
  while (!farewell->is_ended &&
         pthread_cond_timedwait(&farewell->changed, &farewell->lock, &until) == 0) {
  }
  int is_ended = farewell->is_ended;
  farewell->is_abandoned = !is_ended;
  pthread_mutex_unlock(&farewell->lock);
  if (is_ended) free(farewell);
  return is_ended;
}
