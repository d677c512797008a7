extension SQLiteSchema {
  /// The tables of ``SQLiteApplicationStore``: those of the lab with our columns and constraints
  /// (REFERENCE §1), the outbox, and the keys of views that were counted.
  ///
  /// Ids are 36-character texts, instants texts like `2026-06-15T14:00:00.000000Z`, which sort as
  /// the instants do. Deleted rows are few, so their indexes leave the others out.
  static let application = SQLiteSchema(
    name: "application",
    steps: [
      moderation, users, images, comments, flags, publishing,
      "ALTER TABLE users ADD COLUMN found_ineligible_at TEXT",
    ])

  private static let moderation = """
    CREATE TABLE moderation (
      id TEXT PRIMARY KEY NOT NULL,
      inference_request_id TEXT,
      target_type TEXT NOT NULL CHECK (target_type IN ('image', 'comment', 'account')),
      target_id TEXT NOT NULL,
      inference_mode TEXT NOT NULL CHECK (length(inference_mode) <= 20),
      model_version TEXT CHECK (length(model_version) <= 64),
      risk_score REAL NOT NULL CHECK (risk_score BETWEEN 0 AND 1),
      trigger_type TEXT CHECK (length(trigger_type) <= 30),
      policy_version TEXT NOT NULL DEFAULT 'v1' CHECK (length(policy_version) <= 20),
      rationale TEXT,
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX moderation_by_request
      ON moderation (inference_request_id, inference_mode);
    CREATE INDEX moderation_by_target ON moderation (target_type, target_id, risk_score);
    CREATE INDEX moderation_by_risk ON moderation (risk_score);
    CREATE INDEX moderation_by_creation ON moderation (created_at, id);
    """

  private static let users = """
    CREATE TABLE users (
      id TEXT PRIMARY KEY NOT NULL,
      username TEXT NOT NULL UNIQUE,
      tos_version_accepted INTEGER NOT NULL DEFAULT 1 CHECK (tos_version_accepted >= 1),
      tos_accepted_at TEXT,
      country_of_residence TEXT CHECK (length(country_of_residence) <= 2),
      year_of_birth INTEGER CHECK (year_of_birth >= 1900),
      date_of_birth TEXT,
      is_test_account INTEGER NOT NULL DEFAULT 0 CHECK (is_test_account IN (0, 1)),
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX users_by_creation ON users (created_at, id);
    """

  private static let images = """
    CREATE TABLE images (
      id TEXT PRIMARY KEY NOT NULL,
      user_id TEXT NOT NULL REFERENCES users (id),
      s3_url TEXT NOT NULL,
      source TEXT NOT NULL DEFAULT 'user_upload'
        CHECK (source IN ('user_upload', 'synthetic', 'import')),
      caption TEXT,
      category TEXT,
      created_at TEXT NOT NULL,
      deleted_at TEXT,
      views INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX images_by_user ON images (user_id, created_at);
    CREATE INDEX images_deleted_by_user ON images (user_id, deleted_at)
      WHERE deleted_at IS NOT NULL;
    CREATE INDEX images_by_creation ON images (created_at, id);
    CREATE INDEX images_by_deletion ON images (deleted_at) WHERE deleted_at IS NOT NULL;
    """

  private static let comments = """
    CREATE TABLE comments (
      id TEXT PRIMARY KEY NOT NULL,
      image_id TEXT NOT NULL REFERENCES images (id),
      user_id TEXT NOT NULL REFERENCES users (id),
      content TEXT NOT NULL,
      moderator_hidden INTEGER NOT NULL DEFAULT 0 CHECK (moderator_hidden IN (0, 1)),
      moderator_action_id TEXT REFERENCES moderation (id),
      deleted_at TEXT,
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX comments_by_image ON comments (image_id);
    CREATE INDEX comments_by_user ON comments (user_id);
    CREATE INDEX comments_by_action ON comments (moderator_action_id)
      WHERE moderator_action_id IS NOT NULL;
    CREATE INDEX comments_by_creation ON comments (created_at, id);
    CREATE INDEX comments_by_deletion ON comments (deleted_at) WHERE deleted_at IS NOT NULL;
    """

  private static let flags = """
    CREATE TABLE flags (
      id TEXT PRIMARY KEY NOT NULL,
      user_id TEXT NOT NULL REFERENCES users (id),
      image_id TEXT REFERENCES images (id),
      comment_id TEXT REFERENCES comments (id),
      reason TEXT NOT NULL,
      moderation_action_id TEXT REFERENCES moderation (id),
      review_status TEXT NOT NULL DEFAULT 'pending'
        CHECK (review_status IN ('pending', 'confirmed', 'rejected')),
      resolved_at TEXT,
      created_at TEXT NOT NULL,
      CONSTRAINT image_id_or_comment_id CHECK (image_id IS NOT NULL OR comment_id IS NOT NULL)
    ) STRICT;
    CREATE INDEX flags_by_user ON flags (user_id);
    CREATE INDEX flags_by_image ON flags (image_id, review_status)
      WHERE image_id IS NOT NULL;
    CREATE INDEX flags_by_comment ON flags (comment_id, review_status)
      WHERE comment_id IS NOT NULL;
    CREATE INDEX flags_by_action ON flags (moderation_action_id)
      WHERE moderation_action_id IS NOT NULL;
    CREATE INDEX flags_by_status ON flags (review_status);
    CREATE INDEX flags_by_creation ON flags (created_at, id);
    """

  private static let publishing = """
    CREATE TABLE outbox (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      topic TEXT NOT NULL,
      key TEXT,
      value BLOB NOT NULL,
      event_time TEXT NOT NULL
    ) STRICT;
    CREATE TABLE view_keys (key TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
    """
}
