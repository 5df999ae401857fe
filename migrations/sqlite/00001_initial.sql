-- +goose Up

-- Times are microseconds since 1970, ids the 16 bytes of a UUID.

CREATE TABLE events (
    id              BLOB PRIMARY KEY NOT NULL,
    received_at     INTEGER NOT NULL,
    crashes         INTEGER NOT NULL DEFAULT 0,
    source          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('deferred', 'routed', 'undecodable', 'duplicate')),
    origin          TEXT NOT NULL,
    type            TEXT NOT NULL,
    title           TEXT NOT NULL,
    summary         TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    correlation_key TEXT NOT NULL,
    reason          TEXT NOT NULL,
    method          TEXT NOT NULL,
    query           TEXT NOT NULL,
    header          TEXT NOT NULL, -- a JSON object of arrays
    body            BLOB NOT NULL,
    normalized      BLOB
);
CREATE INDEX events_received_at_idx ON events (received_at);
CREATE INDEX events_deferred_idx ON events (id) WHERE state = 'deferred';

CREATE TABLE deliveries (
    id         BLOB PRIMARY KEY NOT NULL,
    event_id   BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL DEFAULT 0, -- 0: at once
    attempts   INTEGER NOT NULL DEFAULT 0,
    crashes    INTEGER NOT NULL DEFAULT 0,
    suspect    INTEGER NOT NULL DEFAULT 0,
    target     TEXT NOT NULL,
    route      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'held', 'delivered', 'superseded', 'dead', 'cancelled')),
    reason     TEXT NOT NULL DEFAULT '',
    message_id TEXT NOT NULL DEFAULT '',
    receipt    BLOB
) WITHOUT ROWID;
CREATE INDEX deliveries_event_idx ON deliveries (event_id);
CREATE INDEX deliveries_pending_idx ON deliveries (target, not_before) WHERE state = 'pending';
CREATE INDEX deliveries_held_idx ON deliveries (target, id) WHERE state = 'held';
CREATE INDEX deliveries_dead_idx ON deliveries (updated_at) WHERE state = 'dead';

CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    delivery_id BLOB NOT NULL,
    started_at  INTEGER NOT NULL,
    elapsed_us  INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    counted     INTEGER NOT NULL,
    class       TEXT NOT NULL,
    message     TEXT NOT NULL,
    excerpt     TEXT NOT NULL
);
CREATE INDEX attempts_delivery_idx ON attempts (delivery_id, id);

-- A row: the target is on hold, or drains what it could not take.
CREATE TABLE target_state (
    target   TEXT PRIMARY KEY NOT NULL,
    since    INTEGER NOT NULL,
    probe_at INTEGER,
    probe    BLOB,
    probes   INTEGER NOT NULL DEFAULT 0,
    draining INTEGER NOT NULL DEFAULT 0,
    kind     TEXT NOT NULL,
    reason   TEXT NOT NULL
) WITHOUT ROWID;

-- story ties the keys that another event may free to an event type and a
-- correlation key; null for keys that only time frees.
CREATE TABLE dedup (
    event_id   BLOB NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    source     TEXT NOT NULL,
    key        TEXT NOT NULL,
    story      TEXT,
    PRIMARY KEY (source, key)
) WITHOUT ROWID;
CREATE INDEX dedup_expires_at_idx ON dedup (expires_at);
CREATE INDEX dedup_story_idx ON dedup (source, story) WHERE story IS NOT NULL;
