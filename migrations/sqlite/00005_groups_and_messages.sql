-- +goose Up

-- A delivery with a group's key may have several events. Until it is closed, others join it,
-- and due_at is when it is to be closed.
ALTER TABLE deliveries ADD COLUMN group_key TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN closed_at INTEGER;
ALTER TABLE deliveries ADD COLUMN members INTEGER NOT NULL DEFAULT 1;
ALTER TABLE deliveries ADD COLUMN superseded_by BLOB;            -- the delivery that tells what this one was to tell
ALTER TABLE deliveries ADD COLUMN note TEXT NOT NULL DEFAULT ''; -- why it is not as it was to be
CREATE UNIQUE INDEX deliveries_open_idx ON deliveries (target, route, group_key)
    WHERE group_key <> '' AND closed_at IS NULL AND state = 'pending';

-- A row: an event of a group. Deliveries of one event have none.
CREATE TABLE delivery_events (
    delivery_id BLOB NOT NULL,
    event_id    BLOB NOT NULL,
    PRIMARY KEY (delivery_id, event_id)
) WITHOUT ROWID;
CREATE INDEX delivery_events_event_idx ON delivery_events (event_id);

-- A row: the message that tells a story at a target, so that it can be edited, and the
-- delivery that has the message under way.
CREATE TABLE correlations (
    target       TEXT NOT NULL,
    key          TEXT NOT NULL,
    updated_at   INTEGER NOT NULL,
    delivery_id  BLOB,                           -- the last that the message shows
    message_id   TEXT NOT NULL DEFAULT '',
    receipt      BLOB,
    type         TEXT NOT NULL DEFAULT '',       -- of the latest event that it shows
    time         INTEGER,                        -- of that event
    posted_at    INTEGER,
    leased_by    BLOB,
    leased_until INTEGER,
    PRIMARY KEY (target, key)
) WITHOUT ROWID;
CREATE INDEX correlations_updated_at_idx ON correlations (updated_at);

-- A row: an event that the message tells.
CREATE TABLE correlation_events (
    target   TEXT NOT NULL,
    key      TEXT NOT NULL,
    event_id BLOB NOT NULL,
    PRIMARY KEY (target, key, event_id)
) WITHOUT ROWID;

-- A row: a file that was deleted for an upgrade, with the deliveries that tell of either.
CREATE TABLE folds (
    target     TEXT NOT NULL,
    key        TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    deletion   BLOB,
    upgrade    BLOB,
    PRIMARY KEY (target, key)
) WITHOUT ROWID;
CREATE INDEX folds_expires_at_idx ON folds (expires_at);
