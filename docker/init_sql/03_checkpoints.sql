-- Watermarks of the batch jobs: a row per checkpoint, and a row per partition under it.

CREATE TABLE checkpoints (
  name text PRIMARY KEY,
  complete_through timestamptz
);
CREATE TABLE checkpoint_offsets (
  name text NOT NULL REFERENCES checkpoints (name),
  topic text NOT NULL,
  partition bigint NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (name, topic, partition)
);

INSERT INTO schema_versions (name, version) VALUES ('checkpoints', 1);
