"""Measure the lab's stream consumer and risk scorer beside ours, on the same topics.

Usage: lab_services.py OURS.json

OURS.json is what `rehearsal bench --backends FILE --keep --json` printed. The services do what
REFERENCE sections 4 to 6 say of the lab's, as one writes them with kafka-python, redis-py and
psycopg2: one event after the other, one command after the other. A second round sends the Redis
commands of an event in one pipeline. Both count from their first record on, so neither joining a
group nor connecting is in it. What they leave is removed; exit code 1 when ours are less than 20
times as fast as the plain ones.

Variables: REHEARSAL_POSTGRES, REHEARSAL_REDIS, REHEARSAL_KAFKA and the passwords, as
`ci/services.sh start` writes them.
"""

import json
import os
import sys
import time
import uuid
from datetime import datetime

import psycopg2
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

TARGET = 20
WINDOWS = {"1min": 60, "5min": 300, "1hr": 3600}
TOPICS = ["uploads", "views", "comments", "flags"]
CATEGORIES = [
    "Bread", "Dairy product", "Dessert", "Egg", "Fried food", "Meat", "Noodles/Pasta", "Rice",
    "Seafood", "Soup", "Vegetable/Fruit",
]
SUBJECT = """
SELECT i.created_at, i.caption, i.category, u.created_at,
       (SELECT count(*) FROM images AS o WHERE o.user_id = i.user_id AND o.deleted_at IS NULL)
FROM images AS i JOIN users AS u ON u.id = i.user_id WHERE i.id = %s
"""
INSERT = """
INSERT INTO lab_moderation
  (id, target_type, target_id, inference_mode, risk_score, trigger_type, rationale, created_at)
VALUES (%s, 'image', %s, 'heuristic', %s, %s, %s, now())
"""


def unix(text):
    """Return the Unix seconds of a time in an event."""
    return datetime.fromisoformat(text).timestamp()


class Servers:
    """Connections, and the names of one round on the servers."""

    def __init__(self, prefix, name):
        self.topics, self.name = f"{prefix}_gourmetgram.", f"{prefix}_lab-{name}"
        self.keys = f"{prefix}:lab-{name}:"
        self.kafka = os.environ["REHEARSAL_KAFKA"]
        host, port = os.environ["REHEARSAL_REDIS"].rsplit(":", 1)
        password = os.environ.get("REHEARSAL_REDIS_PASSWORD")
        self.redis = redis.Redis(host, int(port), password=password, decode_responses=True)
        self.database = psycopg2.connect(
            os.environ["REHEARSAL_POSTGRES"],
            password=os.environ.get("REHEARSAL_POSTGRES_PASSWORD"),
            options=f"-csearch_path={prefix}")

    def messages(self, names, part):
        """Give the records of topics up to their present ends, as a consumer group reads them."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.kafka, group_id=f"{self.name}-{part}",
            auto_offset_reset="earliest")
        topics = [self.topics + name for name in names]
        places = [
            TopicPartition(topic, partition)
            for topic in topics for partition in consumer.partitions_for_topic(topic)
        ]
        left = sum(consumer.end_offsets(places).values())
        consumer.subscribe(topics)
        for message in consumer:
            yield message
            left -= 1
            if left == 0:
                break
        consumer.close()

    def close(self):
        """Remove the round's keys; its table and topics go with the prefix."""
        keys = list(self.redis.scan_iter(self.keys + "*", count=1000))
        for start in range(0, len(keys), 1000):
            self.redis.unlink(*keys[start:start + 1000])
        self.database.close()


class StreamConsumer:
    """Rolling windows, totals and triggers in Redis; one command after the other."""

    def __init__(self, servers):
        self.servers, self.redis, self.keys = servers, servers.redis, servers.keys
        admin = KafkaAdminClient(bootstrap_servers=servers.kafka)
        admin.create_topics([NewTopic(servers.name, num_partitions=3, replication_factor=1)])
        admin.close()
        self.producer = KafkaProducer(bootstrap_servers=servers.kafka)
        self.fired = set()
        self.handlers = {
            "upload": self.upload, "view": self.view, "comment": self.comment, "flag": self.flag}

    def handle(self, event):
        """Apply one event."""
        self.handlers[event["event_type"]](event)

    def count(self, image, metric, member, at, windows):
        """Count one event; return the total and the sizes of the named windows."""
        for name, seconds in WINDOWS.items():
            key = f"{self.keys}image:{image}:{metric}:{name}"
            self.redis.zadd(key, {member: at})
            self.redis.zremrangebyscore(key, 0, at - seconds)
            self.redis.expire(key, seconds)
        total = self.redis.incr(f"{self.keys}image:{image}:total_{metric}")
        sizes = [self.redis.zcard(f"{self.keys}image:{image}:{metric}:{w}") for w in windows]
        return total, sizes

    def upload(self, event):
        """Note what the upload says, and ask for its first score."""
        self.redis.hset(f"{self.keys}image:{event['image_id']}:metadata", mapping={
            "category": event["category"] or "", "caption_length": len(event["caption"] or ""),
            "uploaded_at": event["created_at"], "user_id": event["user_id"]})
        self.fire(event["image_id"], "anchor_0m", unix(event["created_at"]), {})

    def view(self, event):
        """Count a view."""
        image, at = event["image_id"], unix(event["viewed_at"])
        total, (five, hour) = self.count(
            image, "views", event["event_id"], at, ("5min", "1hr"))
        if five >= 100:
            self.fire(image, "viral", at, {"views_5min": five})
        if hour >= 50:
            self.note(image, "popular")
        if total in (10, 100, 1000):
            self.note(image, f"milestone_{total}")

    def comment(self, event):
        """Count a comment."""
        image, at = event["image_id"], unix(event["created_at"])
        _, (minute,) = self.count(image, "comments", event["comment_id"], at, ("1min",))
        if minute >= 10:
            self.fire(image, "suspicious", at, {"comments_1min": minute})

    def flag(self, event):
        """Count a flag of an image."""
        image, at = event["image_id"], unix(event["created_at"])
        if not image:
            return
        _, (five,) = self.count(image, "flags", event["flag_id"], at, ("5min",))
        if five >= 2:
            self.fire(image, "flagged", at, {"flags_5min": five})

    def note(self, image, trigger):
        """Return whether a trigger is new; remembers it."""
        if (image, trigger) in self.fired:
            return False
        self.fired.add((image, trigger))
        return True

    def fire(self, image, trigger, at, context):
        """Ask for a score, without waiting for the broker; the topic is the round's own."""
        if self.note(image, trigger):
            request = {
                "image_id": image, "trigger": trigger, "context": context, "timestamp": at}
            self.producer.send(
                self.servers.name, key=image.encode(), value=json.dumps(request).encode())


class PipelinedConsumer(StreamConsumer):
    """The same with one round trip per event."""

    def count(self, image, metric, member, at, windows):
        """See StreamConsumer."""
        pipe = self.redis.pipeline(transaction=False)
        for name, seconds in WINDOWS.items():
            key = f"{self.keys}image:{image}:{metric}:{name}"
            pipe.zadd(key, {member: at})
            pipe.zremrangebyscore(key, 0, at - seconds)
            pipe.expire(key, seconds)
        pipe.incr(f"{self.keys}image:{image}:total_{metric}")
        for window in windows:
            pipe.zcard(f"{self.keys}image:{image}:{metric}:{window}")
        replies = pipe.execute()
        return replies[9], replies[10:]


class RiskScorer:
    """Scores a request: counts from Redis, rows from PostgreSQL, one row written."""

    def __init__(self, servers):
        self.redis, self.keys, self.database = servers.redis, servers.keys, servers.database
        with self.database, self.database.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS lab_moderation")
            cursor.execute("CREATE TABLE lab_moderation (LIKE moderation INCLUDING ALL)")

    def handle(self, request):
        """Score one request."""
        image, at = request["image_id"], request["timestamp"]
        counts = self.counts(f"{self.keys}image:{image}:")
        with self.database, self.database.cursor() as cursor:
            cursor.execute(SUBJECT, (image,))
            subject = cursor.fetchone()
            if subject is None:
                return
            score, rules = self.score(self.vector(subject, counts, at))
            cursor.execute(INSERT, (
                str(uuid.uuid4()), image, score, request["trigger"], json.dumps(rules)))

    @staticmethod
    def questions(reader, image):
        """Ask for windows and the total of flags, of a client or of a pipeline."""
        sizes = [
            reader.zcard(f"{image}{metric}:{window}")
            for metric in ("views", "comments", "flags") for window in ("5min", "1hr")
        ]
        return sizes + [reader.get(f"{image}total_flags")]

    def counts(self, image):
        """Return the counts of an image, one command after the other."""
        return self.questions(self.redis, image)

    @staticmethod
    def vector(subject, counts, at):
        """Return the 29 features by name."""
        uploaded, caption, category, joined, images = subject
        views5, views60, comments5, comments60, flags5, flags60, flags = counts
        features = {
            "time_since_upload_seconds": at - uploaded.timestamp(), "hour_of_day": uploaded.hour,
            "day_of_week": uploaded.weekday(), "is_weekend": int(uploaded.weekday() >= 5),
            "views_5min": views5, "views_1hr": views60, "comments_5min": comments5,
            "comments_1hr": comments60, "flags_5min": flags5, "flags_1hr": flags60,
            "total_flags": int(flags or 0), "view_velocity_per_min": views5 / 5,
            "comment_to_view_ratio": comments60 / max(views60, 1),
            "recent_engagement_score": views5 + 5 * comments5,
            "caption_length": len(caption or ""), "has_caption": int(bool(caption)),
            "user_image_count": images,
            "user_age_days": int((at - joined.timestamp()) // 86400),
        }
        for name in CATEGORIES:
            features[f"category_{name}"] = int(name == category)
        return features

    @staticmethod
    def score(features):
        """Return the heuristic's risk and the rules that fired."""
        rules = {}
        if features["total_flags"] > 0:
            rules["flagged"] = 0.4
        if features["comments_5min"] > 10:
            rules["comment-burst"] = 0.3
        if features["views_5min"] > 100:
            rules["view-burst"] = 0.2
        return min(sum(rules.values()), 1.0), rules


class PipelinedScorer(RiskScorer):
    """The same with one round trip to Redis."""

    def counts(self, image):
        """See RiskScorer."""
        pipe = self.redis.pipeline(transaction=False)
        self.questions(pipe, image)
        return pipe.execute()


def drain(messages, service):
    """Handle all messages; return how many, and the seconds from the first on."""
    count, start = 0, None
    for message in messages:
        start = start or time.perf_counter()
        service.handle(json.loads(message.value))
        count += 1
    return count, time.perf_counter() - (start or 0)


def play(prefix, name, consumer, scorer):
    """Measure a consumer, then a scorer; return counts and seconds."""
    servers = Servers(prefix, name)
    reader = consumer(servers)
    events, reading = drain(servers.messages(TOPICS, "stream-consumer"), reader)
    reader.producer.close()
    # The requests that ours published, so that all score the same.
    requests = servers.messages(["moderation_requests"], "risk-scorer")
    scores, scoring = drain(requests, scorer(servers))
    servers.close()
    return {"events": events, "scores": scores, "reading": reading, "scoring": scoring}


def main(path):
    """Measure, print the table and return the exit code."""
    with open(path, encoding="utf-8") as file:
        ours = json.load(file)
    prefix, drain = ours["prefix"], ours["drain"]
    plain = play(prefix, "plain", StreamConsumer, RiskScorer)
    piped = play(prefix, "pipelined", PipelinedConsumer, PipelinedScorer)
    for theirs in (plain, piped):
        for what in ("events", "scores"):
            if theirs[what] != drain[what]:
                sys.exit(f"lab_services: {theirs[what]} {what} of {drain[what]}")
    events, scores = drain["events"], drain["scores"]
    trips = drain["feature_round_trips_per_1000_events"]
    print(f"{events:,} events, {scores:,} scores; ours: {trips:.1f} round trips to Redis per"
          " 1,000 events\n")
    print(f"{'events/s':<34}{'Rehearsal':>11}{'lab':>9}{'ratio':>8}{'pipelined':>12}{'ratio':>8}")

    def line(what, speed, seconds):
        """Print a line; return the ratio to the plain services."""
        cells = [f"{what:<34}{speed:>11,.0f}"]
        for theirs, width in ((plain, 9), (piped, 12)):
            cells.append(f"{events / seconds(theirs):>{width},.0f}")
            cells.append(f"{speed * seconds(theirs) / events:>7.1f}x")
        print("".join(cells), flush=True)
        return speed * seconds(plain) / events

    line("stream consumer", drain["consumer_events_per_second"], lambda x: x["reading"])
    speed = drain["events_per_second"]
    ratio = line("consumer and scorer", speed, lambda x: x["reading"] + x["scoring"])
    line("  the lab's two side by side, at best", speed,
         lambda x: max(x["reading"], x["scoring"]))
    print(f"\nconsumer and scorer: {ratio:.1f} times the lab's; wanted {TARGET}:"
          f" {'ok' if ratio >= TARGET else 'MISSED'}")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: lab_services.py OURS.json")
    sys.exit(main(sys.argv[1]))
